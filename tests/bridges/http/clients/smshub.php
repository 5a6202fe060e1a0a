<?php
// PHP's own SOAP client, with the WSDL and, as older programs do, without it.
// php smshub.php BASE_URL; prints one line of JSON for each answer.
ini_set("soap.wsdl_cache_enabled", 0);

function show($said) {
    echo json_encode($said), "\n";
}

$two = ["+352691123456", "+41791234567"];
$client = new SoapClient($argv[1] . "/smshub.wsdl");
show($client->smshubSend("demo", "demo", ["String" => $two], "Grüezi & <b>", "Flash", "Bank", "", "", ""));
show($client->smshubStatus()["status"]);

$client = new SoapClient(null, [
    "location" => $argv[1] . "/smshub/", "uri" => "urn:smshub",
    "style" => SOAP_RPC, "use" => SOAP_ENCODED,
]);
function named($values) {
    $found = [];
    foreach ($values as $name => $value) {
        $found[] = new SoapParam($value, $name);
    }
    return $found;
}
$send = ["username" => "demo", "password" => "demo", "mobile" => $two, "text" => "été €"];
show($client->__soapCall("smshubSend", named($send)));
show($client->__soapCall("smshubSend", named(["password" => "wrong"] + $send)));
try {
    $client->__soapCall("nosuch", []);
} catch (SoapFault $fault) {
    show($fault->faultcode);
}
