"""`neanelu sandbox` as a person runs it: a process of its own, until a signal."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

COMMAND = [sys.executable, "-m", "neanelu_pipelines.cli.main", "sandbox", "--json"]


def test_it_serves_until_it_is_told_to_stop_and_leaves_nothing(tmp_path: Path) -> None:
    sizes = ["--port", "0", "--products", "3", "--orders", "2", "--customers", "1", "--shop", "a.myshopify.com"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([*COMMAND, *sizes], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        url = said["url_template"].format(domain="a.myshopify.com", version="2025-10")
        headers = {"X-Shopify-Access-Token": said["tokens"]["a.myshopify.com"]}
        query = {"query": "{ productsCount { count } ordersCount { count } }"}
        # The port is taken before the server answers: the connection waits.
        data = httpx.post(url, json=query, headers=headers, timeout=20).json()["data"]
        assert data == {"productsCount": {"count": 3}, "ordersCount": {"count": 2}}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_words_not_a_traceback() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert f"Port {port}" in json.loads(ended.stdout)["error"]
    assert "Traceback" not in ended.stderr


def test_a_shop_without_a_shopify_domain_is_refused() -> None:
    ended = subprocess.run([*COMMAND, "--shop", "a.example"], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert ".myshopify.com" in json.loads(ended.stdout)["error"]
