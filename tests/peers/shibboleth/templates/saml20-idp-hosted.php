<?php
$metadata['http://127.0.0.1:@IDP_PORT@/idp'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'idp-key.pem',
    'certificate' => 'idp-cert.pem',
    'auth' => 'people',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'authproc' => [
        100 => [
            'class' => 'core:AttributeMap',
            'EAAHash' => 'urn:oid:2.999.1.1',
            'EAAKey' => 'urn:oid:2.999.1.2',
            'groups' => 'urn:oid:2.999.1.3',
            'uid' => 'urn:oid:0.9.2342.19200300.100.1.1',
            'mail' => 'urn:oid:0.9.2342.19200300.100.1.3',
            'displayName' => 'urn:oid:2.16.840.1.113730.3.1.241',
        ],
    ],
];
