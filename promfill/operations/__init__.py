"""What promfill does, a function each: typed settings in, a report out. No click, no console, no environment.

    push.push(scenario, target, how, notices)           -> reports.PushReport
    push.plan(scenario, target, how, notices)           -> reports.PlanReport; sends and writes nothing
    check.check(scenario, target, how, notices)         -> reports.CheckReport
    read_back.read_back(source, where, patience, notices)   -> verify.VerifyReport
    upload.upload(paths, upload, notices, …)            -> reports.UploadDone
    review_blocks.review_blocks(directory)              -> BlockReview of every block

`settings` holds what goes in, `notices` what is told on the way. Nothing is written that was not asked for: the
target's output, and a checkpoint where the settings name its file.
"""
