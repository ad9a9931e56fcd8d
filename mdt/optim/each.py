"""One operation on every tensor of a list: `each.add_(m, g, alpha=a)` is `m_i += a * g_i`.

On CUDA torch runs such a list in a few kernels; on CPU it saves the Python around each tensor.
These are the names that every torch since 2.6 has; `torch.foreach`, their public home since
2.15, is still marked beta.
"""
# ruff: noqa: SLF001

import torch

add = torch._foreach_add
add_ = torch._foreach_add_
addcmul_ = torch._foreach_addcmul_
copy_ = torch._foreach_copy_
div = torch._foreach_div
div_ = torch._foreach_div_
lerp_ = torch._foreach_lerp_
mul_ = torch._foreach_mul_
neg_ = torch._foreach_neg_
norm = torch._foreach_norm
sqrt = torch._foreach_sqrt
sub = torch._foreach_sub
