"""A user of an account pool: reserves, polls, gives back; the token in the query or in the header."""

import json
import os
import sys
import time

import requests

url, where = sys.argv[1:]
token = os.environ["TOKEN"]
session = requests.Session()
query = {"token": token} if where == "query" else {}
if where == "header":
    session.headers["Authorization"] = "Bearer " + token

reservation = session.post(url + "/reservations", params={"duration": 5, **query}).json()
address = url + "/reservations/" + reservation["id"]
until = time.monotonic() + 60
while reservation["credentials"] is None and time.monotonic() < until:
    time.sleep(0.1)
    reservation = session.get(address, params=query).json()
given_back = session.delete(address, params=query)
print(json.dumps({"reservation": reservation, "status": given_back.status_code, "body": given_back.text}))
