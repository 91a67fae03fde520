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

"""Fragments of pages, which the script asks for and puts in."""

from typing import Any

from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import render as render_page

#: Says that an answer is one. The script lets nothing else into a page: other
#: addresses of Horizon answer with what anybody wrote, a console log for one.
_HEADER = 'X-Snapshot-Dashboard'


def render(request: HttpRequest, template: str,
           context: dict[str, Any]) -> HttpResponse:
    """Answer with a fragment of a page."""
    response = render_page(request, template, context)
    response[_HEADER] = 'fragment'
    return response
