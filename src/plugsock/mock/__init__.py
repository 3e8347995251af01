"""Made-up answers: they fit what a plug declares, for those who build the other side before the plug exists.

    seeds     what makes an answer the same wherever and whenever it is made up
    values    a value of any type that a plug can answer with, checked by msgspec
    heights   how deep the smallest value of a type is, so that types that contain themselves come to an end
    leaves    what stands at the ends of a value:
    numbers   integers and floats within bounds
    texts     strings: what their field's name suggests, a pattern, a length
    times     dates, times and durations
    pace      when a made-up stream goes on, and a made-up view changes
    faults    what `--fault` says

What is made up depends on its seed alone: not on the clock, the process or the order of a set. polyfactory, with all
that it brings along, is imported with the first value; `faults` and `pace` need nothing of it.
"""
