from . import models


def post_init_hook(env):
    env["channel.demo.story"]._build()
