"""promfill's operations, one function each: typed settings in, a report out. No click, no console, no environment.

    push.push(scenario, target, how, notices)           -> reports.PushReport
    push.plan(scenario, target, how, notices)           -> reports.PlanReport; sends and writes nothing
    check.check(scenario, target, how, notices)         -> reports.CheckReport
    read_back.read_back(scenario, where, patience, notices) -> verify.VerifyReport
    upload.upload(paths, to, notices=notices)           -> reports.UploadDone
    create_blocks.create_blocks_from_text(text, wanted, progress) -> create_blocks.CreatedBlocks
    review_blocks.review_directory(directory)           -> review_blocks.DirectoryReview

`settings` holds the inputs, and `notices` the messages during an operation. Operations write only the target's output,
and a checkpoint if the settings name its file.
"""
