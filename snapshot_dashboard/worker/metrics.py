# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What a worker counts, for Prometheus."""

import prometheus_client

_PREFIX = 'snapshot_dashboard_worker'


class Counters:
    """Counts in a registry of its own, and shows it where it is asked to."""

    def __init__(self) -> None:
        self._registry = registry = prometheus_client.CollectorRegistry()
        self._ended = prometheus_client.Counter(
            f'{_PREFIX}_runs_ended', 'Runs that this worker saw to their end.',
            ['result'], registry=registry)
        self._errors = prometheus_client.Counter(
            f'{_PREFIX}_errors', 'Calls that a service did not answer as '
            'wished.', ['service'], registry=registry)
        self._trusts = prometheus_client.Gauge(
            f'{_PREFIX}_trusts', 'Trusts that this worker looks after.',
            registry=registry)
        self._late = prometheus_client.Histogram(
            f'{_PREFIX}_late_seconds', 'How late looks at runs begin: for '
            'want of threads, or because the project has its share of them.',
            ['waited_for'], buckets=(.01, .05, .1, .5, 1, 5, 30),
            registry=registry)

    def ended(self, result: str) -> None:
        self._ended.labels(result).inc()

    def error(self, service: str) -> None:
        self._errors.labels(service).inc()

    def holds(self, trusts: int) -> None:
        self._trusts.set(trusts)

    def late(self, seconds: float, by_share: bool) -> None:
        self._late.labels('share' if by_share else 'threads').observe(seconds)

    def serve(self, address: str, port: int) -> None:
        """Show them at ``/metrics`` from now on.

        :raises OSError: when the port cannot be had.
        """
        prometheus_client.start_http_server(port, address,
                                            registry=self._registry)
