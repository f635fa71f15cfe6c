"""LFM2 in both directions, which transformers has only as code beside the checkpoints."""

from contextlib import contextmanager
from unittest import mock

import torch
from transformers.models.lfm2.modeling_lfm2 import Lfm2ShortConv


def centred(self, hidden_states, past_key_values=None, attention_mask=None, **kwargs):
    """The convolution with as many tokens on either side; padding counts as zeros where there is a mask."""
    b, c, x = self.in_proj(hidden_states).chunk(3, dim=-1)
    inputs = b * x if attention_mask is None else b * x * attention_mask[:, :, None]
    inputs = inputs.transpose(1, 2)
    half = self.conv_kernel_size // 2
    mixed = torch.nn.functional.conv1d(inputs, self.conv.weight, self.conv.bias, padding=half, groups=inputs.shape[1])
    return self.out_proj(c * mixed.transpose(1, 2))


def centred_over_all(self, hidden_states, past_key_values=None, attention_mask=None, **kwargs):
    """As the code beside ColBERT checkpoints has it, which says that anything else shifts what fills up a query."""
    return centred(self, hidden_states)


@contextmanager
def both_ways(forward=centred):
    """Makes the convolutions centred; `is_causal: false` does the rest."""
    with mock.patch.object(Lfm2ShortConv, "forward", forward):
        yield
