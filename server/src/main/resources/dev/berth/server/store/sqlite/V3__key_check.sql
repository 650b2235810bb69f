-- Made with the key that encrypts what is stored, to tell whether another one fits.
ALTER TABLE generation ADD COLUMN key_check TEXT;
