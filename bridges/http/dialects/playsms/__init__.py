"""playSMS web services: `index.php?app=ws`, one pure file a noun; see `bridges/http/playsms_*.py`."""
