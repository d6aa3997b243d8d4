"""Files on disk: pictures and models, with every strange file met by a sentence. No Qt and no torch here."""
