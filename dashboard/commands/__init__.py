"""The command line's verbs, one module each: `add_arguments(parser)` and `run(arguments)`."""
