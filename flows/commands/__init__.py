"""The commands of `flywheel`, one file each: `HELP`, `arguments(parser)` and `run(args)`, its exit code."""
