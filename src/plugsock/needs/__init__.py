"""What plugs need from elsewhere: what they say about it, what of it is there, and how the rest is installed.

metadata    what a file says that it needs: the standard inline script metadata
installed   what of that can be imported
flaws       what is wrong with what a file needs, as the loader reports it
remedy      which package an import that failed would have come from
places      names in a folder of plugs
library     a folder's site-packages, which is only ever changed as a whole
pip         where pip comes from, and what it is asked
install     from requirements to a library that meets them
"""
