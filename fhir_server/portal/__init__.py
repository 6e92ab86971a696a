"""The pages for people, rendered here: logging in, letting apps in and out, and who looked. Dutch and English."""
