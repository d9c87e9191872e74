"""The alert rules: valid, tested by promtool, and each with a section of the runbook."""

import re
import subprocess
from pathlib import Path

import pytest

from boards.runbook import sections
from carillon.watch.boards import ROOT, RULES
from documented_metrics import undocumented
from prometheus_programs import debian_program

FOLDER = RULES.parent
ALERT = re.compile(r"- alert: (\w+)\n(.*?)(?=\n\n|\Z)", re.DOTALL)


def alerts() -> dict[str, str]:
    return dict(ALERT.findall(RULES.read_text()))


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [debian_program("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER)


@pytest.mark.parametrize(
    "what", ["check rules --lint=all alerts.yml", "check config prometheus.yml"]
)
def test_promtool_has_nothing_to_say_against(what: str) -> None:
    checked = promtool(*what.split())
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    tested = promtool("test", "rules", "alerts_test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    cases = (FOLDER / "alerts_test.yml").read_text()
    for name in alerts():
        assert f'alertname="{name}"' in cases, name


def test_every_alert_says_how_urgent_it_is_what_it_means_and_where_to_read_on() -> None:
    assert alerts().keys() == set(re.findall(r"alert: (\w+)", RULES.read_text()))
    anchors = {one.anchor for one in sections()}
    for name, text in alerts().items():
        assert re.search(r"severity: (critical|warning)\b", text), name
        assert re.search(r"summary: .{10}", text), name
        assert re.search(r"description: .{20}", text), name
        (place, anchor) = re.findall(r"runbook_url: (\S+)#(\S+)", text)[0]
        assert (ROOT / place).is_file()
        assert anchor in anchors, name


def test_the_runbook_names_every_alert() -> None:
    told = (ROOT / "docs/runbook.md").read_text()
    for name in alerts():
        assert f"`{name}`" in told


def test_alerts_look_at_metrics_that_are_documented() -> None:
    for name, text in alerts().items():
        assert undocumented(text.partition("labels:")[0]) == set(), name


def test_what_a_prometheus_in_kubernetes_scrapes_can_be_read(tmp_path: Path) -> None:
    told = (FOLDER / "kubernetes.yml").read_text()
    found = (
        "    kubernetes_sd_configs:\n      - role: pod\n        namespaces: {names: [carillon]}\n"
    )
    assert found in told
    (tmp_path / "it.yml").write_text(told.replace(found, ""))  # Debian's does not know Kubernetes
    checked = promtool("check", "config", "--syntax-only", str(tmp_path / "it.yml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_compose_scrapes_every_service_under_its_own_name() -> None:
    jobs = re.findall(
        r"job_name: (\w+)\n.*?names: \[(\w+)\]", Path(FOLDER / "prometheus.yml").read_text()
    )
    assert [job for job, _ in jobs] == [name for _, name in jobs]
    assert {job for job, _ in jobs} == {
        "campaign",
        "moderation",
        "dispatcher",
        "dialler",
        "read_model",
    }
