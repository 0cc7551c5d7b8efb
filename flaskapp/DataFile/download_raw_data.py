"""Download RawData.csv or RawData.csv.gz from cloud storage: `python flaskapp/DataFile/download_raw_data.py`.

RAW_DATA_BUCKET and RAW_DATA_OBJECT name it, or RAW_DATA_URL; docs/how-to/cloud-data.md says the rest.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the checkout: a script sees only its own folder

from flaskapp.raw.command import run

if __name__ == "__main__":
    run()
