"""How a test starts a command. Not here: which."""

HEARING = ["env", "--default-signal=INT"]  # a shell starts what it puts in the background deaf to Ctrl-C
