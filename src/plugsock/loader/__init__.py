"""From a folder of Python files to a catalogue of events, and from one catalogue to the next while it serves.

declare     the marks that authors set: @plug, @on_load, @on_unload
scan        which files are plugs, and their bytes
depends     who imports whom, and so which modules move together
isolate     imports modules into a generation of their own
signature   a function's signature becomes the shape of its payload
catalog     an immutable table: event -> Plug
swap        the transaction: look, stage, commit or discard, retire
watch       settled changes of the folder
"""
