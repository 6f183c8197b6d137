"""Write the golden tables anew, from the CSV files and the documents of the claims: the SQL has no part in it."""

from fw_pipeline_tests.second_path.ledger import write_golden

if __name__ == "__main__":
    write_golden()
