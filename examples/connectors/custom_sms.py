"""A connector of your own: what to write for a service that the gateway does not know.

Name this file in the configuration, beside whatever the function is to be given:

    [outlets.mine]
    kind = "custom"
    file = "examples/connectors/custom_sms.py"
    username = "bob"
    password_env = "MINE_PASSWORD"
    account = "main"
    url = "https://sms.example/send"
    timeout_s = 20
    concurrency = 5

The gateway calls `send` once for each message, in one of `concurrency` threads. An `async def` is
called in its Trio event loop instead, and must not block. The file is read again when it changes.
"""

import json
import urllib.error
import urllib.request


def send(message, number, flash, sender, username, password, account, url, proxy):
    """Send one message; the parameters are those of an SMSHub custom connector.

    message   the text
    number    the recipient, +41791234567 (a short code as it is)
    flash     True if it is to show at once
    sender    the sender: a number with a plus, a name, or "" if there is none
    username, password, account, url, proxy
              as the configuration has them; "" where it has none

    Return
      True                                    it was taken
      {"id": "abc"}                           it was taken, and is called so
      False, or a text                        it was not; the text goes to the log, and the
                                              message to the next outlet or to a later attempt
      {"error": "no such number", "class": "permanent"}
                                              the same, and what kind of error it is: retryable,
                                              throttled (send slower), permanent (never send this
                                              one), configuration (stop, people must act)

    An exception counts as an error that may pass. Whatever does not return within `timeout_s` may
    or may not have been sent: `ambiguous` decides.
    """
    body = json.dumps(
        {"account": account, "from": sender, "to": number, "text": message, "flash": flash}
    ).encode()
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", "X-Auth": f"{username}:{password}"}
    )
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    )
    try:
        with opener.open(request, timeout=15) as answer:
            return {"id": json.load(answer)["id"]}
    except urllib.error.HTTPError as error:
        if error.code == 400:
            return {"error": "the service does not like this message", "class": "permanent"}
        if error.code in {401, 403}:
            return {"error": "wrong username or password", "class": "configuration"}
        return f"HTTP {error.code}"
