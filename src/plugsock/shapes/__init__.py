"""What plugs look like from outside, in the words of those who build the other side.

    events      what a catalogue has for clients: events with the types of what goes in and out, and rules for topics
    describe    their types as schemas, which the documents are made of
    hints       what msgspec checks and does not say: times without a zone, the keys of tables
    examples    the examples of events, as all of the documents have them
    walk        which parts of a schema are schemas
    schema      the same as one JSON Schema (2020-12)
    frames      what goes over the socket for each kind of event
    asyncapi    the same as an AsyncAPI 3 document
    typescript  the same as TypeScript declarations
    ts_classes, ts_types, ts_names, tsdoc    how these are written: what is declared, as what, by which name, with what comments
    python      the same as a Python module for `plugsock.client`
    python_events, python_classes, python_types, python_names    how its parts are written
    infos       events with their types as msgspec describes them, which both are made of

Nothing here runs a plug; all of it is read from signatures.
"""
