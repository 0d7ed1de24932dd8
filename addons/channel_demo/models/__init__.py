from . import channel_demo_story
