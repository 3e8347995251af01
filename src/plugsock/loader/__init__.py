"""From a folder of Python files to a catalogue of events, and from one catalogue to the next while it serves.

What authors write:
    declare      the marks that they set: @plug, @view, @authenticate
    moments      the marks for what happens: @on_connect, @on_join, @on_load and the like
    rules        topic(...), a rule for topics
    options      what may stand in the parentheses of these
    requires     what `requires=` can say there
    examples     what `examples=` can say there
What is on disk:
    folders      which folders are served
    scan         which files are plugs, and their bytes
    trust        who else could write to them
    settle       when a saved file is complete
    disk         what the folders hold, with deletions given time to be something else
    source       one file: its bytes, what they say without being run, and the folder it is from
    watch        tells when to look
What moves together:
    depends      who imports whom, from the syntax tree
    grouping     the groups of a move, their ids, and the revisions of modules
How it is loaded:
    importing    the `__import__` that plug modules have
    isolate      imports modules into a generation of their own
    finder       lets code outside import plugs by name
    export       takes them into another process
    staging      one attempt to load a group, with a limit of time
    stager       stages all groups of a look, so that a broken one holds back as little as possible
    attempts     what was tried and need not be tried again before it changes
    blame        from an exception or a hang to the author's own line
What is served:
    annotations, binding, shape, signature    a function's signature becomes the shape of its payload
    hidden       the signatures of what no client calls
    order        which of its fields `order` and `requires` may name
    fitting      an event's examples as they go over the wire, and whether they fit
    collect      finds the marked functions and the rules of a module
    catalog      an immutable table: event -> Plug
    swap         the transaction: look, stage, commit or discard, retire
    reaper       ends and frees what was replaced

`swap.Loader` is the way in: `look()`, `commit()`, `retire()`, `catalog`.
"""
