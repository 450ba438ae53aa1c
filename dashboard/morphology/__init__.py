"""The image side without a network: where the cell is, how many there are, and what its shape and colour measure."""
