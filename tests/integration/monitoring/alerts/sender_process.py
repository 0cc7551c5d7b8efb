"""Sends on one channel until it is killed: `python sender_process.py FILE CHANNEL`, with a lease of one second."""

import sys
import time
from datetime import timedelta
from pathlib import Path

from driftline.clock import utc_now
from driftline.settings import DatabaseSettings, SecretsFolder
from driftline.store.database import make_engine
from monitoring.alerts.channels.secrets import SecretFolder
from monitoring.alerts.configuration import read_file
from monitoring.alerts.sending import ChannelSender

name = sys.argv[2]
channel = read_file(Path(sys.argv[1])).channel(name)
secrets = SecretFolder(SecretsFolder().existing())
sender = ChannelSender(make_engine(DatabaseSettings()), name, channel, secrets, attempts=30, lease=timedelta(seconds=1))
while True:
    if not sender.send_due(utc_now):
        time.sleep(0.05)
