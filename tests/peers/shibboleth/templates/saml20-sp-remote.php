<?php
// One service provider behind several ports: each brings an address for answers.
$metadata['http://127.0.0.1:@SP_PORT@/shibboleth'] = [
    'AssertionConsumerService' => [@ACS@],
    'SingleLogoutService' => 'http://127.0.0.1:@SP_PORT@/Shibboleth.sso/SLO/Redirect',
];
