-- macro: latest_run()
-- value: the run that generated last
(SELECT arg_max(run, created) FROM stages WHERE stage = 'generate')
