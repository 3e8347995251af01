from collections.abc import Callable

import click

from plugsock.cli import options, style
from plugsock.cli.selftests.findings import Finding
from plugsock.ops.output import printable


@click.command(cls=options.HelpfulCommand)
@options.format("text", "json")
def selftest(format: str) -> int:
    """Report whether this plugsock works on this machine.

    Imports every module that plugs may import; looks for packages, certificates and time zones; starts a server in a
    folder of its own, calls a plug, saves and swaps another, and stops it. Takes a few seconds, and touches neither
    your plugs nor a server that runs. The exit status is 1 if anything does not hold.

      plugsock selftest
      plugsock selftest --format json
    """
    findings = []
    for check in _checks():
        findings.append(check())
        if format == "text":
            _print(findings[-1])
    if format == "json":
        style.json_document(findings)
    return 1 if any(finding.problems for finding in findings) else 0


def _checks() -> list[Callable[[], Finding]]:
    from plugsock.cli.selftests import modules, serving, surroundings  # other commands do not need what these import

    return [modules.check, surroundings.versions, surroundings.certificates, surroundings.time_zones, serving.check]


def _print(finding: Finding) -> None:
    print(f"{'failed' if finding.problems else 'ok':<8}{finding.check:<14}{printable(finding.seen)}", flush=True)
    for problem in finding.problems:
        print(f"        {printable(problem)}", flush=True)
