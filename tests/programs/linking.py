"""A page that links to itself, and shows the link on another page, too."""

from IPython.display import HTML, display
from myst_nb import glue

link = HTML('<a href="page.ipynb">a page</a>')
display(link)
glue("link", link, display=False)
