"""One shape: what `plugsock check` says of plugs that load, and of what has become of them since.

    rules       the rules by name, and what is reported
    places      where classes, fields, parameters and functions stand in the files
    comments    what a file itself says that it may do
    parts       going through the types of a plug: which part stands where, and goes which way
    types       what is said of each part
    integers    what a browser can't hold
    checker     all rules over a catalogue that are seen without running anything
    returns     the one that runs functions, on their examples
    baseline    what a catalogue has become since a document was written: what breaks those who were built for that
    compatible  whether all that fits one JSON Schema fits another
    bounds      the same for numbers, lengths and the like
    wording     a JSON Schema in the words of Python

Only `returns` runs anything.
"""
