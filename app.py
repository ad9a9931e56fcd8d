"""The web editor: `python app.py`, then open the address that it prints."""

from editanything.ui.launch import main

if __name__ == "__main__":
    main()
