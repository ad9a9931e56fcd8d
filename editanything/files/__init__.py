"""Picture files behind `editanything.image`: reading, writing, the metadata that they carry."""
