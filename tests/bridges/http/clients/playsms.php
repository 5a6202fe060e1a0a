<?php
// Works as the playsms-webservices client does: a URL that is put together by hand, fetched with
// file_get_contents; then a form as PHP's http_build_query makes it, and a multipart one.
// php playsms.php BASE_URL USERNAME PASSWORD; prints one line of JSON for each answer.

$url = $argv[1] . "/index.php?app=ws";
$user = "&u=" . $argv[2];

function show($text) {
    echo json_encode(is_string($text) ? json_decode($text) : $text), "\n";
}

function fetch($url) {
    return file_get_contents($url);
}

$answer = fetch($url . $user . "&p=" . $argv[3] . "&op=get_token&format=json");
show($answer);
$token = "&h=" . json_decode($answer)->token;
show(fetch($url . $token . $user . "&op=cr&format=json"));
$text = urlencode("Grüezi & <b> \"€\"");
$sent = fetch($url . $token . $user . "&op=pv&format=json&from=Shop&to=41791234567,393351234567&msg=" . $text);
show($sent);
$queue = json_decode($sent)->data[0]->queue;
show(fetch($url . $token . $user . "&op=ds&format=json&queue=" . $queue));
$raw = fetch($url . $token . $user . "&op=ds&format=serialize&queue=" . $queue);
show(unserialize($raw));
$xml = fetch($url . $token . $user . "&op=ds&format=xml&queue=" . $queue);
preg_match_all("|<msg>(.*?)</msg>|", $xml, $found);
show(["rows" => substr_count($xml, "<item>"), "msg" => html_entity_decode($found[1][0])]);

$form = ["h" => substr($token, 3), "u" => $argv[2], "op" => "pv", "to" => "41791234567", "msg" => "+ & é"];
show(file_get_contents($url, false, stream_context_create(["http" => [
    "method" => "POST",
    "header" => "Content-Type: application/x-www-form-urlencoded",
    "content" => http_build_query($form),
]])));
