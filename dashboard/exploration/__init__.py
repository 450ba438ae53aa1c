"""Look at a labelled folder before training on it: classes, sites, colours, outliers, duplicates, doubtful labels.

`reading` measures each image once, `colour`, `components`, `duplicates` and `label_errors` make tables of that,
`sections` puts them into words and plots, `report` into one HTML file.
"""
