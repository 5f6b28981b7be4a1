"""What zeros buy, and how to keep them: smaller files, smaller networks, zeros that stay zero."""
