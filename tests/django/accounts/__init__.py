"""An app with the site's own accounts, as Django recommends every new project to have."""
