/* Devices without a browser (RFC 8628): their endpoint, and the page where a person types a code.
 */
#ifndef KONTOR_IDP_EP_DEVICE_H
#define KONTOR_IDP_EP_DEVICE_H

#include "idp/response.h"

#define DEVICE_PATH               "/device"
#define DEVICE_AUTHORIZATION_PATH "/oidc/device_authorization"

bool ep_device_authorization(struct request *rq, struct response *rs, struct err *err); /* POST */
bool ep_device(struct request *rq, struct response *rs, struct err *err); /* GET, POST */

#endif
