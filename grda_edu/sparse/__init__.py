"""What zeros buy, and how to keep them: files that skip zeros, and zeros that stay zero."""
