"""replay.py RECORDINGS URL HALF: puts recorded exchanges to a blob service, and tells what differs.

RECORDINGS is the folder of the recordings that the tests of azure-storage-blob 12.0.0 carry, made
against real accounts (service version 2019-02-02). URL is a service that has the accounts
devstoreaccount1 and devstoreaccount2 in its path, both with the emulators' well-known key. HALF is
`sync` or `async`: recordings with and without `_async` in their names are of two runs.

The exchanges of a recording are put one after another. What the service made up (ETags, lease ids,
snapshots, copy ids, dates) is carried over from one to the next, and each is signed anew. Status,
error code, header names, the values of stable headers, and the body are compared. A recording whose
answer is of another class than the live one is not followed further.

Prints a line for each difference, `COUNT<tab>WHAT<tab>WHERE`, and one that sums up.
"""
import base64
import collections
import datetime
import hashlib
import hmac
import http.client
import os
import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import yaml

KEY = base64.b64decode(
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
FIRST, SECOND = "devstoreaccount1", "devstoreaccount2"

# Recordings that cannot be put again: they wait in real time, need settings of the account, or were
# made without authorization.
NOT_PUT = re.compile(
    r"soft_delete|_batch|break_period|lease_container_renew|with_duration|no_sas_|test_retry"
    r"|user_delegation|results_and_marker|public_access_blob|lease_container_twice|lease_blob_renew"
)
# Requests whose inner requests cannot be signed anew, and those of what is not modelled.
OUT_OF_SCOPE = re.compile(r"comp=(batch|stats|query|undelete)")
LARGEST_RECORDING = 3000 * 1024

# Headers of every answer, those of the connection, and those that depend on the day.
PASSED_OVER = {
    "accept-ranges", "access-control-allow-origin", "access-control-expose-headers", "connection",
    "content-length", "date", "keep-alive", "server", "transfer-encoding", "vary",
    "x-ms-client-request-id", "x-ms-creation-time", "x-ms-request-id", "x-ms-snapshot-redirect",
    "x-ms-version",
}
# What the service made up.
MADE_UP = {
    "etag", "last-modified", "x-ms-access-tier-change-time", "x-ms-copy-completion-time",
    "x-ms-copy-destination-snapshot", "x-ms-copy-id", "x-ms-copy-source", "x-ms-lease-id",
    "x-ms-snapshot",
}
# What differs between any two answers in a body.
VOLATILE = re.compile(
    r"(Last-Modified|Etag|Creation-Time|Snapshot|CopyId|CopySource|CopyCompletionTime|RequestId"
    r"|Message|NextMarker|AccessTierChangeTime|Start|Expiry|Content-CRC64|Marker|ServiceEndpoint"
    r"|AuthenticationErrorDetail)$"
)
HASHES = {"content-md5", "x-ms-content-crc64"}
HTTP_DATE = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads recordings, some of which hold objects of the language they were made in."""


LOST = object()
Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: LOST)


class NotPut(Exception):
    """Why an exchange, and with it the rest of its recording, cannot be put."""


class Ended(Exception):
    """The rest of a recording follows from another answer than came here."""


def lower(headers):
    """Headers by lower-case names; a recording has each value in a list."""
    one = lambda value: value[0] if isinstance(value, list) else value
    return {name.lower(): one(value) for name, value in headers.items()}


def as_bytes(body):
    if isinstance(body, dict):
        body = body.get("string", "")
    return body.encode() if isinstance(body, str) else body or b""


def signature(text):
    return base64.b64encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest()).decode()


def authorization(method, account, path, query, headers):
    """Shared Key, as 2015-02-21 and later sign."""
    length = headers.get("content-length", "")
    lines = [method, headers.get("content-encoding", ""), headers.get("content-language", "")]
    lines += ["" if length == "0" else length]
    lines += [headers.get("content-md5", ""), headers.get("content-type", ""), ""]
    lines += [
        headers.get(name, "")
        for name in (
            "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"
        )
    ]
    own = "".join(
        f"{name}:{headers[name].strip()}\n" for name in sorted(headers) if name.startswith("x-ms-")
    )
    values = collections.defaultdict(list)
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name.lower()].append(value)
    resource = f"/{account}{path}"
    resource += "".join(f"\n{name}:{','.join(sorted(values[name]))}" for name in sorted(values))
    return f"SharedKey {account}:{signature(chr(10).join(lines) + chr(10) + own + resource)}"


def source_sas(account, path):
    """A SAS with which the source of a copy can be read."""
    now = datetime.datetime.now(datetime.timezone.utc)
    expiry = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = ["r", "", expiry, f"/blob/{account}{unquote(path)}", "", "", "", "2018-11-09", "b"]
    sig = signature("\n".join(fields + [""] * 6))
    return f"sv=2018-11-09&sr=b&sp=r&se={quote(expiry, safe='')}&sig={quote(sig, safe='')}"


def here(url, values):
    """Which account, path and query a recorded URL means here."""
    parts = urlsplit(url)
    label = parts.netloc.split(":")[0].split(".")[0]
    if ".blob." not in parts.netloc or label.endswith("-secondary"):
        raise NotPut(label)
    if "rmt" in label:
        account = SECOND
    elif label in ("blobstoragename", "storagename") or label.startswith("pyacrstorage"):
        account = FIRST
    else:
        raise NotPut(label)
    query = parts.query
    for old, new in values.items():
        query = query.replace(old, new).replace(quote(old, safe=""), quote(new, safe=""))
    return account, parts.path or "/", query


class Recording:
    """One recording on its way through the service."""

    def __init__(self, exchanges, base):
        self.exchanges = exchanges
        self.base = base
        self.values = {}
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)

    def play(self):
        """What became of each exchange: its number, and its differences, or None if not put."""
        for number, exchange in enumerate(self.exchanges):
            try:
                yield from self.put(number, exchange)
            except NotPut:
                yield number, None
                return
            except Ended:
                return

    def put(self, number, exchange):
        request, live = exchange["request"], exchange["response"]
        if request["body"] is LOST or OUT_OF_SCOPE.search(request["uri"]):
            raise NotPut(request["uri"])
        account, path, query = here(request["uri"], self.values)
        if "sig=" in query:
            raise NotPut("a SAS")
        shift = self.shift(live)
        headers = self.headers(request, shift)
        body = as_bytes(request["body"])
        for old, new in self.values.items():
            body = body.replace(old.encode(), new.encode())
        method = request["method"]
        if body or method in ("PUT", "POST"):
            headers["content-length"] = str(len(body))
        target = f"/{account}{path}"
        headers["authorization"] = authorization(method, account, target, query, headers)
        what = f"{method} {shape(request['uri'])}"
        try:
            status, got, answer = self.send(method, f"{target}?{query}" if query else target,
                                            headers, body)
        except (OSError, http.client.HTTPException) as error:
            yield number, [f"{what}: no answer ({error})"]
            return
        want = lower(live["headers"])
        self.carry_over(want, got)
        code = live["status"]["code"]
        if code == 201 and error_code(got, answer) == "InvalidBlockList":
            raise NotPut("a block was never recorded")
        found = differences(request, (code, want, as_bytes(live["body"])), (status, got, answer),
                            self.values)
        yield number, [f"{what}: {'; '.join(found)}"] if found else []
        if status // 100 != code // 100:
            raise Ended

    def shift(self, live):
        date = lower(live["headers"]).get("date")
        return time.time() - parsedate_to_datetime(date).timestamp() if date else 0

    def headers(self, request, shift):
        left_out = {
            "accept-encoding", "authorization", "connection", "date", "host", "transfer-encoding",
            "user-agent", "x-ms-date",
        }
        headers = {}
        for name, value in lower(request["headers"]).items():
            value = str(value)
            if name in left_out:
                continue
            if name == "x-ms-copy-source":
                value = self.source(value)
            elif HTTP_DATE.match(value):
                moved = parsedate_to_datetime(value).timestamp() + shift
                value = self.values.get(value) or formatdate(moved, usegmt=True)
            else:
                value = self.values.get(value, value)
            headers[name] = value
        headers["x-ms-date"] = formatdate(usegmt=True)
        return headers

    def source(self, url):
        account, path, query = here(url, self.values)
        names = ("snapshot", "versionid")
        kept = [pair for pair in query.split("&") if pair.split("=")[0] in names]
        return f"{self.base}/{account}{path}?" + "&".join(kept + [source_sas(account, path)])

    def send(self, method, target, headers, body):
        self.connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value.encode())
        self.connection.endheaders(body or None)
        response = self.connection.getresponse()
        answer = response.read()
        return response.status, lower(dict(response.getheaders())), answer

    def carry_over(self, want, got):
        for name in MADE_UP & set(want) & set(got):
            self.values[want[name]] = got[name]
            if name == "etag":
                self.values[want[name].strip('"')] = got[name].strip('"')


def shape(url):
    """A URL without its names: `/c/b?comp=page`."""
    parts = urlsplit(url)
    path = "/".join("cb"[: len([part for part in parts.path.split("/") if part])])
    telling = ("comp", "restype", "include")
    pairs = [pair.split("=", 1) for pair in parts.query.split("&") if pair]
    query = sorted("=".join(pair) if pair[0] in telling else pair[0] for pair in pairs)
    return f"/{path}" + ("?" + "&".join(query) if query else "")


def error_code(headers, body):
    found = re.search(rb"<Code>(.*?)</Code>", body)
    return headers.get("x-ms-error-code") or (found and found[1].decode()) or ""


def differences(request, live, here_, values):
    """In what the answer here is other than the live one."""
    (status, want, want_body), (got_status, got, got_body) = live, here_
    codes = error_code(want, want_body), error_code(got, got_body)
    if status != got_status:
        return [f"status {status} live, {got_status} here ({codes[0]} live, {codes[1]} here)"]
    if status >= 300:
        different = codes[0] != codes[1]
        return [f"code {codes[0]} live, {codes[1]} here (status {status})"] if different else []
    found = []
    passed_over = set(PASSED_OVER)
    sent = set(lower(request["headers"]))
    from_url = "x-ms-copy-source" in sent and re.search("comp=(appendblock|page)", request["uri"])
    if from_url and not sent & {"x-ms-source-content-md5", "x-ms-encryption-key"}:
        # Recorded answers have sometimes the one and sometimes the other.
        passed_over |= HASHES
        if not HASHES & set(got):
            found.append("neither content-md5 nor x-ms-content-crc64")
    if want.get("x-ms-copy-status") == "pending" and request["method"] == "HEAD":
        # The copy here may have ended already.
        passed_over |= {
            "x-ms-copy-status", "x-ms-copy-progress", "x-ms-copy-completion-time",
            "x-ms-copy-destination-snapshot",
        }
    missing = sorted(set(want) - set(got) - passed_over)
    extra = sorted(set(got) - set(want) - passed_over - {"content-type"})
    if missing:
        found.append("missing " + ",".join(missing))
    if extra:
        found.append("extra " + ",".join(extra))
    for name in sorted(set(want) & set(got) - passed_over - MADE_UP):
        ours, theirs = str(got[name]), str(want[name])
        if ours not in (theirs, values.get(theirs)) and not HTTP_DATE.match(theirs):
            found.append(f"{name} {theirs[:60]!r} live, {ours[:60]!r} here")
    if request["method"] == "HEAD":
        if "content-length" in want and want["content-length"] != got.get("content-length"):
            found.append(
                f"content-length {want['content-length']} live, {got.get('content-length')} here"
            )
        return found
    return found + body_differences(request, want_body, got_body, values)


def body_differences(request, want, got, values):
    # A list of all containers shows those of other recordings too.
    if want == got or re.search(r"\.net/\?(?!.*prefix=).*comp=list", request["uri"]):
        return []
    markup = (b"\xef", b"<")
    if want[:1] not in markup or got[:1] not in markup:
        return [f"body of {len(want)} bytes live, {len(got)} here"]
    theirs = elements(want, lambda text: values.get(text, text))
    ours = elements(got, lambda text: text)
    found = []
    for word, rest in ("missing", theirs - ours), ("extra", ours - theirs):
        shown = sorted({f"{path}={text[:30]}" for path, text in rest})
        if shown:
            found.append(f"xml {word} " + ",".join(shown[:8]))
    return found


def elements(document, translate):
    """How often each element, by its path, has each text."""

    def walk(element, above):
        path = f"{above}/{element.tag}"
        text = "" if len(element) or VOLATILE.search(path) else (element.text or "").strip()
        yield path.replace("/EnumerationResults", ""), translate(text)
        for child in element:
            yield from walk(child, path)

    root = ElementTree.fromstring(document.decode("utf-8-sig"))
    return collections.Counter(walk(root, ""))


def main(folder, base, half):
    same = otherwise = not_put = 0
    seen = collections.defaultdict(list)
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        of_half = ("_async" in name) == (half == "async")
        if not of_half or NOT_PUT.search(name) or os.path.getsize(path) > LARGEST_RECORDING:
            continue
        with open(path, encoding="utf-8") as file:
            try:
                record = yaml.load(file, Loader)
            except yaml.YAMLError:
                continue
        for number, found in Recording(record["interactions"], base.rstrip("/")).play():
            if found is None:
                not_put += 1
            elif not found:
                same += 1
            else:
                otherwise += 1
                seen[found[0]].append(f"{name}#{number}")
    for what, where in sorted(seen.items(), key=lambda item: -len(item[1])):
        print(f"{len(where)}\t{what}\t{where[0]}")
    print(f"{same} as the live service, {otherwise} otherwise, {not_put} not put")


if __name__ == "__main__":
    main(*sys.argv[1:])
