"""The simulator's page: a stream is started, watched and stopped with forms alone."""

from flask.testing import FlaskClient


def test_a_stream_is_started_watched_and_stopped(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "No stream has been started yet." in page.text
    assert "style=" not in page.text
    refused = client.post("/start", data={"num_batches": "0", "seed": '"><b>'})
    assert refused.status_code == 400
    assert "<li>num_batches: 0 is out of range; write 1 or more</li>" in refused.text
    assert 'value="&#34;&gt;&lt;b&gt;"' in refused.text, "what was written stays in the form"
    started = client.post("/start", data={"batch_size": "5", "interval": "60", "num_batches": "4"})
    assert (started.status_code, started.headers["Location"]) == (303, "/")
    again = client.post("/start", data={})
    assert again.status_code == 409
    running = client.get("/").text
    assert 'action="/stop"' in running
    assert "of 4" in running
    assert client.post("/stop").status_code == 303
    assert 'action="/stop"' not in client.get("/").text


def test_the_page_loads_its_own_files_only(client: FlaskClient) -> None:
    for asset in ("/static/report.css", "/static/simulator.css", "/static/simulator.js"):
        with client.get(asset) as answer:
            assert answer.status_code == 200
