<?php
// xmlseclibs knows RSA PKCS#1 v1.5 alone, and encrypts with CBC alone: neither counts by default.
$$metadata['${entity_id}'] = [
	'host' => '__DEFAULT__',
	'privatekey' => 'saml.key',
	'certificate' => 'saml.crt',
	'auth' => 'people',
	'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
	'validate.authnrequest' => true,
	'redirect.validate' => true,
	'NameIDFormat' => ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
	'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
	'scope' => ['${host}'],
	'OrganizationName' => ['de' => 'Servicekonto Ausland'],
	'OrganizationDisplayName' => ['de' => 'Servicekonto Ausland'],
	'OrganizationURL' => ['de' => '${base}/'],
	'authproc' => [
		10 => ['class' => 'saml:AuthnContextClassRef', 'AuthnContextClassRef' => 'STORK-QAA-Level-2'],
		20 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid',
			'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
		30 => ['class' => 'core:AttributeLimit', 'urn:oid:2.5.4.42', 'urn:oid:2.5.4.4',
			'urn:oid:0.9.2342.19200300.100.1.3'],
	],
];
