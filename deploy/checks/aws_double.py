#!/usr/bin/env python3
"""A moto server on 127.0.0.1 at the port that is given, with what Terraform and this deployment need beyond moto 5.2.

Once a client has posted 0 to /moto-api/reset-auth, requests are signed for and authorised: by the actions of a role's
policies, and, where moto knows what a request is about, by their resources too.
"""

import json
import sys

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.iam.access_control import IAMPolicyStatement
from moto.server import main
from moto.sqs.models import Queue


def with_redrive_allow_policy():
    """moto takes the attribute and never shows it again."""
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
    Queue.redrive_allow_policy = None
    shown = Queue.attributes.fget
    Queue.attributes = property(lambda self: {name: value for name, value in shown(self).items() if value not in (None, "")})


def with_policies_that_stay():
    """moto forgets a queue's policy when another attribute is set."""
    set_attributes = Queue._set_attributes

    def keep(self, attributes, now=None):
        policy = self.policy if hasattr(self, "_policy_json") else None
        set_attributes(self, {"Policy": policy, **attributes}, now)

    Queue._set_attributes = keep


def with_authorisation_of_actions():
    """For most services moto does not say which resource a request is about, so that a policy on one never matches; and
    SQS has no rights to batches apart: sqs:DeleteMessage is that to DeleteMessageBatch too."""
    matches = IAMPolicyStatement._check_element_matches

    def as_aws_does(self, element, value):
        if element == "Action" and value.startswith("sqs:"):
            value = value.removesuffix("Batch")
        return (element == "Resource" and value == "*") or matches(self, element, value)

    IAMPolicyStatement._check_element_matches = as_aws_does


def with_tags_of_scalable_targets():
    """The provider reads them after it made a target."""
    ApplicationAutoScalingResponse.list_tags_for_resource = lambda _: json.dumps({"Tags": {}})


if __name__ == "__main__":
    with_redrive_allow_policy()
    with_policies_that_stay()
    with_authorisation_of_actions()
    with_tags_of_scalable_targets()
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
