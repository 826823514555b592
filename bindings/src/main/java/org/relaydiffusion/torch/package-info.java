// SPDX-License-Identifier: Apache-2.0
/**
 * LibTorch in Java: tensors, their lifetimes, operators and random generators. Operators go through
 * LibTorch's stable C ABI by way of {@code java.lang.foreign}.
 *
 * <p>Methods are grouped as PyTorch's chapters are: {@link org.relaydiffusion.torch.Torch
 * creation}, {@link org.relaydiffusion.torch.Pointwise pointwise}, {@link
 * org.relaydiffusion.torch.Reduction reduction}, {@link org.relaydiffusion.torch.Norms norms},
 * {@link org.relaydiffusion.torch.Sorting sorting}, {@link org.relaydiffusion.torch.Shapes
 * indexing, joining and views}, {@link org.relaydiffusion.torch.Functional networks}, {@link
 * org.relaydiffusion.torch.Losses losses}, {@link org.relaydiffusion.torch.LinearAlgebra linear
 * algebra}. Any other operator is called through {@link org.relaydiffusion.torch.Operator} by its
 * schema.
 *
 * <h2>Wrong arguments</h2>
 *
 * <p>What a method cannot do is a {@link org.relaydiffusion.torch.TorchException} of one line, or
 * another {@link org.relaydiffusion.RdmException} where its documentation says so, before anything
 * native happens: null where nothing is {@code @Nullable}, with the parameter's name; what is
 * closed, or belongs to a scope of another thread; a write to read-only memory; a type, a shape or
 * a number that does not fit. No argument ends the process. A call that throws leaves no tensor
 * behind, and none that it was given changed its owner.
 *
 * <h2>From PyTorch's operators to methods</h2>
 *
 * <p>PyTorch's {@code torch.erf} is the operator {@code aten::erf}; {@code tensor.mul_} is {@code
 * aten::mul_}.
 *
 * <table>
 *   <caption>Operators and the methods that call them</caption>
 *   <tr><th>operator</th><th>method</th></tr>
 * <!-- operators -->
 *   <tr><td>{@code aten::_amp_foreach_non_finite_check_and_unscale_}</td>
 *     <td>{@link Foreach#unscaleInPlace}</td></tr>
 *   <tr><td>{@code aten::_backward}</td>
 *     <td>{@link Autograd#backward},
 *         {@link Autograd#grad}</td></tr>
 *   <tr><td>{@code aten::_foreach_addcdiv_.Tensor}</td>
 *     <td>{@link Foreach#addcdivInPlace}</td></tr>
 *   <tr><td>{@code aten::_foreach_addcmul.Tensor}</td>
 *     <td>{@link Pointwise#addScaled},
 *         {@link Pointwise#addcmul}</td></tr>
 *   <tr><td>{@code aten::_foreach_addcmul_.Tensor}</td>
 *     <td>{@link Foreach#addcmulInPlace},
 *         {@link Pointwise#addInPlace}</td></tr>
 *   <tr><td>{@code aten::_foreach_copy_}</td>
 *     <td>{@link Foreach#copyInPlace}</td></tr>
 *   <tr><td>{@code aten::_foreach_lerp.List}</td>
 *     <td>{@link Foreach#lerp}</td></tr>
 *   <tr><td>{@code aten::_foreach_lerp_.List}</td>
 *     <td>{@link Foreach#lerpInPlace}</td></tr>
 *   <tr><td>{@code aten::_foreach_mul_.Tensor}</td>
 *     <td>{@link Foreach#mulInPlace}</td></tr>
 *   <tr><td>{@code aten::_foreach_sqrt}</td>
 *     <td>{@link Foreach#sqrt}</td></tr>
 *   <tr><td>{@code aten::_fused_adam_}</td>
 *     <td>{@link Foreach#fusedAdamInPlace}</td></tr>
 *   <tr><td>{@code aten::abs}</td>
 *     <td>{@link Pointwise#abs}</td></tr>
 *   <tr><td>{@code aten::add}</td>
 *     <td>{@link Pointwise#add}</td></tr>
 *   <tr><td>{@code aten::affine_grid_generator}</td>
 *     <td>{@link Functional#affineGrid}</td></tr>
 *   <tr><td>{@code aten::all}</td>
 *     <td>{@link Reduction#all}</td></tr>
 *   <tr><td>{@code aten::amax}</td>
 *     <td>{@link Reduction#amax}</td></tr>
 *   <tr><td>{@code aten::amin}</td>
 *     <td>{@link Reduction#amin}</td></tr>
 *   <tr><td>{@code aten::any}</td>
 *     <td>{@link Reduction#any}</td></tr>
 *   <tr><td>{@code aten::argmax}</td>
 *     <td>{@link Reduction#argmax}</td></tr>
 *   <tr><td>{@code aten::argmin}</td>
 *     <td>{@link Reduction#argmin}</td></tr>
 *   <tr><td>{@code aten::as_strided}</td>
 *     <td>{@link Functional#dropoutMask}</td></tr>
 *   <tr><td>{@code aten::avg_pool2d}</td>
 *     <td>{@link Functional#averagePool}</td></tr>
 *   <tr><td>{@code aten::batch_norm}</td>
 *     <td>{@link Functional#batchNorm}</td></tr>
 *   <tr><td>{@code aten::binary_cross_entropy_with_logits}</td>
 *     <td>{@link Losses#binaryCrossEntropy}</td></tr>
 *   <tr><td>{@code aten::bmm}</td>
 *     <td>{@link LinearAlgebra#bmm}</td></tr>
 *   <tr><td>{@code aten::cat}</td>
 *     <td>{@link Shapes#cat}</td></tr>
 *   <tr><td>{@code aten::cdist}</td>
 *     <td>{@link LinearAlgebra#cdist}</td></tr>
 *   <tr><td>{@code aten::ceil}</td>
 *     <td>{@link Pointwise#ceil}</td></tr>
 *   <tr><td>{@code aten::chunk}</td>
 *     <td>{@link Shapes#chunk}</td></tr>
 *   <tr><td>{@code aten::clamp.Tensor}</td>
 *     <td>{@link Pointwise#clamp}</td></tr>
 *   <tr><td>{@code aten::clone}</td>
 *     <td>{@link Shapes#copy}</td></tr>
 *   <tr><td>{@code aten::contiguous}</td>
 *     <td>{@link Shapes#contiguous}</td></tr>
 *   <tr><td>{@code aten::conv2d}</td>
 *     <td>{@link Functional#conv2d}</td></tr>
 *   <tr><td>{@code aten::conv_transpose2d.input}</td>
 *     <td>{@link Functional#convTranspose2d}</td></tr>
 *   <tr><td>{@code aten::copy_}</td>
 *     <td>{@link Shapes#toAsync}</td></tr>
 *   <tr><td>{@code aten::cos}</td>
 *     <td>{@link Pointwise#cos}</td></tr>
 *   <tr><td>{@code aten::cross_entropy_loss}</td>
 *     <td>{@link Losses#crossEntropy}</td></tr>
 *   <tr><td>{@code aten::cumsum}</td>
 *     <td>{@link Reduction#cumsum},
 *         {@link Torch#arange}</td></tr>
 *   <tr><td>{@code aten::div.Tensor}</td>
 *     <td>{@link Pointwise#div}</td></tr>
 *   <tr><td>{@code aten::dropout}</td>
 *     <td>{@link Functional#dropout}</td></tr>
 *   <tr><td>{@code aten::einsum}</td>
 *     <td>{@link LinearAlgebra#einsum}</td></tr>
 *   <tr><td>{@code aten::embedding}</td>
 *     <td>{@link Functional#embedding}</td></tr>
 *   <tr><td>{@code aten::empty.memory_format}</td>
 *     <td>{@link Torch#emptyPinned}</td></tr>
 *   <tr><td>{@code aten::empty_like}</td>
 *     <td>{@link Torch#fullLike}</td></tr>
 *   <tr><td>{@code aten::empty_strided}</td>
 *     <td>{@link Torch#emptyStrided}</td></tr>
 *   <tr><td>{@code aten::eq.Tensor}</td>
 *     <td>{@link Comparison#eq}</td></tr>
 *   <tr><td>{@code aten::erf}</td>
 *     <td>{@link Pointwise#erf}</td></tr>
 *   <tr><td>{@code aten::exp}</td>
 *     <td>{@link Pointwise#exp}</td></tr>
 *   <tr><td>{@code aten::exp2}</td>
 *     <td>{@link Pointwise#exp2}</td></tr>
 *   <tr><td>{@code aten::expand}</td>
 *     <td>{@link Shapes#expand}</td></tr>
 *   <tr><td>{@code aten::expm1}</td>
 *     <td>{@link Pointwise#expm1}</td></tr>
 *   <tr><td>{@code aten::eye}</td>
 *     <td>{@link Torch#eye}</td></tr>
 *   <tr><td>{@code aten::fft_fft}</td>
 *     <td>{@link Fourier#fft}</td></tr>
 *   <tr><td>{@code aten::fft_irfft}</td>
 *     <td>{@link Fourier#irfft}</td></tr>
 *   <tr><td>{@code aten::fill_.Tensor}</td>
 *     <td>{@link Torch#full},
 *         {@link Torch#fullLike}</td></tr>
 *   <tr><td>{@code aten::flatten.using_ints}</td>
 *     <td>{@link Shapes#flatten}</td></tr>
 *   <tr><td>{@code aten::flip}</td>
 *     <td>{@link Shapes#flip}</td></tr>
 *   <tr><td>{@code aten::floor}</td>
 *     <td>{@link Pointwise#floor}</td></tr>
 *   <tr><td>{@code aten::frobenius_norm.dim}</td>
 *     <td>{@link Norms#norm}</td></tr>
 *   <tr><td>{@code aten::gather}</td>
 *     <td>{@link Shapes#gather}</td></tr>
 *   <tr><td>{@code aten::ge.Tensor}</td>
 *     <td>{@link Comparison#ge}</td></tr>
 *   <tr><td>{@code aten::gelu}</td>
 *     <td>{@link Pointwise#gelu}</td></tr>
 *   <tr><td>{@code aten::grid_sampler_2d}</td>
 *     <td>{@link Functional#gridSampleBilinear}</td></tr>
 *   <tr><td>{@code aten::group_norm}</td>
 *     <td>{@link Functional#groupNorm}</td></tr>
 *   <tr><td>{@code aten::gt.Tensor}</td>
 *     <td>{@link Comparison#gt}</td></tr>
 *   <tr><td>{@code aten::index.Tensor}</td>
 *     <td>{@link Tensor#index}</td></tr>
 *   <tr><td>{@code aten::index_copy}</td>
 *     <td>{@link Shapes#indexCopy}</td></tr>
 *   <tr><td>{@code aten::index_put_}</td>
 *     <td>{@link Tensor#indexPut}</td></tr>
 *   <tr><td>{@code aten::index_select}</td>
 *     <td>{@link Shapes#indexSelect}</td></tr>
 *   <tr><td>{@code aten::isfinite}</td>
 *     <td>{@link Comparison#isFinite}</td></tr>
 *   <tr><td>{@code aten::isnan}</td>
 *     <td>{@link Comparison#isNan}</td></tr>
 *   <tr><td>{@code aten::l1_loss}</td>
 *     <td>{@link Losses#l1}</td></tr>
 *   <tr><td>{@code aten::layer_norm}</td>
 *     <td>{@link Functional#layerNorm}</td></tr>
 *   <tr><td>{@code aten::le.Tensor}</td>
 *     <td>{@link Comparison#le}</td></tr>
 *   <tr><td>{@code aten::linalg_cholesky_ex}</td>
 *     <td>{@link LinearAlgebra#cholesky}</td></tr>
 *   <tr><td>{@code aten::linalg_eigh}</td>
 *     <td>{@link LinearAlgebra#eigh}</td></tr>
 *   <tr><td>{@code aten::linalg_eigvalsh}</td>
 *     <td>{@link LinearAlgebra#eigvalsh}</td></tr>
 *   <tr><td>{@code aten::linalg_solve_triangular}</td>
 *     <td>{@link LinearAlgebra#solveTriangular}</td></tr>
 *   <tr><td>{@code aten::linalg_svdvals}</td>
 *     <td>{@link LinearAlgebra#svdvals}</td></tr>
 *   <tr><td>{@code aten::linear}</td>
 *     <td>{@link Functional#linear}</td></tr>
 *   <tr><td>{@code aten::linspace.Tensor_Tensor}</td>
 *     <td>{@link Torch#linspace}</td></tr>
 *   <tr><td>{@code aten::log}</td>
 *     <td>{@link Pointwise#log}</td></tr>
 *   <tr><td>{@code aten::log1p}</td>
 *     <td>{@link Pointwise#log1p}</td></tr>
 *   <tr><td>{@code aten::log_softmax.int}</td>
 *     <td>{@link Functional#logSoftmax}</td></tr>
 *   <tr><td>{@code aten::logical_and}</td>
 *     <td>{@link Comparison#logicalAnd}</td></tr>
 *   <tr><td>{@code aten::logical_not}</td>
 *     <td>{@link Comparison#logicalNot}</td></tr>
 *   <tr><td>{@code aten::logical_or}</td>
 *     <td>{@link Comparison#logicalOr}</td></tr>
 *   <tr><td>{@code aten::logsumexp}</td>
 *     <td>{@link Reduction#logsumexp}</td></tr>
 *   <tr><td>{@code aten::lt.Tensor}</td>
 *     <td>{@link Comparison#lt}</td></tr>
 *   <tr><td>{@code aten::lt_.Tensor}</td>
 *     <td>{@link Functional#dropoutMask}</td></tr>
 *   <tr><td>{@code aten::masked_fill.Tensor}</td>
 *     <td>{@link Shapes#maskedFill}</td></tr>
 *   <tr><td>{@code aten::masked_select}</td>
 *     <td>{@link Shapes#maskedSelect}</td></tr>
 *   <tr><td>{@code aten::matmul}</td>
 *     <td>{@link LinearAlgebra#matmul}</td></tr>
 *   <tr><td>{@code aten::max.dim}</td>
 *     <td>{@link Sorting#max}</td></tr>
 *   <tr><td>{@code aten::max_pool2d}</td>
 *     <td>{@link Functional#maxPool}</td></tr>
 *   <tr><td>{@code aten::maximum}</td>
 *     <td>{@link Pointwise#maximum}</td></tr>
 *   <tr><td>{@code aten::mean}</td>
 *     <td>{@link Reduction#mean}</td></tr>
 *   <tr><td>{@code aten::mean.dim}</td>
 *     <td>{@link Reduction#mean}</td></tr>
 *   <tr><td>{@code aten::min.dim}</td>
 *     <td>{@link Sorting#min}</td></tr>
 *   <tr><td>{@code aten::minimum}</td>
 *     <td>{@link Pointwise#minimum}</td></tr>
 *   <tr><td>{@code aten::mkldnn_reorder_conv2d_weight}</td>
 *     <td>{@link PackedConv2d#pack},
 *         {@link PackedConv2d#repack}</td></tr>
 *   <tr><td>{@code aten::mse_loss}</td>
 *     <td>{@link Losses#mse}</td></tr>
 *   <tr><td>{@code aten::mul.Tensor}</td>
 *     <td>{@link Pointwise#mul}</td></tr>
 *   <tr><td>{@code aten::mul_.Tensor}</td>
 *     <td>{@link Pointwise#mulInPlace}</td></tr>
 *   <tr><td>{@code aten::nan_to_num_}</td>
 *     <td>{@link Pointwise#nanToNumInPlace}</td></tr>
 *   <tr><td>{@code aten::narrow}</td>
 *     <td>{@link Shapes#narrow}</td></tr>
 *   <tr><td>{@code aten::ne.Tensor}</td>
 *     <td>{@link Comparison#ne}</td></tr>
 *   <tr><td>{@code aten::neg}</td>
 *     <td>{@link Pointwise#neg}</td></tr>
 *   <tr><td>{@code aten::nll_loss_nd}</td>
 *     <td>{@link Losses#nll}</td></tr>
 *   <tr><td>{@code aten::nonzero}</td>
 *     <td>{@link Shapes#nonzero}</td></tr>
 *   <tr><td>{@code aten::one_hot}</td>
 *     <td>{@link Functional#oneHot}</td></tr>
 *   <tr><td>{@code aten::permute}</td>
 *     <td>{@link Shapes#permute}</td></tr>
 *   <tr><td>{@code aten::pow.Tensor_Tensor}</td>
 *     <td>{@link Pointwise#pow}</td></tr>
 *   <tr><td>{@code aten::rand.generator}</td>
 *     <td>{@link Generator#rand}</td></tr>
 *   <tr><td>{@code aten::randint.generator}</td>
 *     <td>{@link Generator#randint}</td></tr>
 *   <tr><td>{@code aten::randn.generator}</td>
 *     <td>{@link Generator#randn}</td></tr>
 *   <tr><td>{@code aten::random_.from}</td>
 *     <td>{@link Functional#dropoutMask}</td></tr>
 *   <tr><td>{@code aten::randperm.generator}</td>
 *     <td>{@link Generator#randperm}</td></tr>
 *   <tr><td>{@code aten::reciprocal}</td>
 *     <td>{@link Pointwise#reciprocal}</td></tr>
 *   <tr><td>{@code aten::reflection_pad2d}</td>
 *     <td>{@link Functional#reflectionPad2d}</td></tr>
 *   <tr><td>{@code aten::relu}</td>
 *     <td>{@link Pointwise#relu}</td></tr>
 *   <tr><td>{@code aten::relu_}</td>
 *     <td>{@link Pointwise#reluInPlace}</td></tr>
 *   <tr><td>{@code aten::repeat}</td>
 *     <td>{@link Shapes#repeat}</td></tr>
 *   <tr><td>{@code aten::reshape}</td>
 *     <td>{@link Shapes#reshape}</td></tr>
 *   <tr><td>{@code aten::roll}</td>
 *     <td>{@link Shapes#roll}</td></tr>
 *   <tr><td>{@code aten::round}</td>
 *     <td>{@link Pointwise#round}</td></tr>
 *   <tr><td>{@code aten::rsqrt}</td>
 *     <td>{@link Pointwise#rsqrt}</td></tr>
 *   <tr><td>{@code aten::scaled_dot_product_attention}</td>
 *     <td>{@link Functional#attention}</td></tr>
 *   <tr><td>{@code aten::scatter.src}</td>
 *     <td>{@link Shapes#scatter}</td></tr>
 *   <tr><td>{@code aten::scatter_add}</td>
 *     <td>{@link Shapes#scatterAdd}</td></tr>
 *   <tr><td>{@code aten::select.int}</td>
 *     <td>{@link Shapes#select}</td></tr>
 *   <tr><td>{@code aten::sigmoid}</td>
 *     <td>{@link Pointwise#sigmoid}</td></tr>
 *   <tr><td>{@code aten::sign}</td>
 *     <td>{@link Pointwise#sign}</td></tr>
 *   <tr><td>{@code aten::silu}</td>
 *     <td>{@link Pointwise#silu}</td></tr>
 *   <tr><td>{@code aten::silu_}</td>
 *     <td>{@link Pointwise#siluInPlace}</td></tr>
 *   <tr><td>{@code aten::sin}</td>
 *     <td>{@link Pointwise#sin}</td></tr>
 *   <tr><td>{@code aten::slice.Tensor}</td>
 *     <td>{@link Shapes#slice}</td></tr>
 *   <tr><td>{@code aten::smooth_l1_loss}</td>
 *     <td>{@link Losses#smoothL1}</td></tr>
 *   <tr><td>{@code aten::softmax.int}</td>
 *     <td>{@link Functional#softmax}</td></tr>
 *   <tr><td>{@code aten::sort.stable}</td>
 *     <td>{@link Sorting#sort}</td></tr>
 *   <tr><td>{@code aten::sqrt}</td>
 *     <td>{@link Pointwise#sqrt}</td></tr>
 *   <tr><td>{@code aten::square}</td>
 *     <td>{@link Pointwise#square}</td></tr>
 *   <tr><td>{@code aten::squeeze.dim}</td>
 *     <td>{@link Shapes#squeeze}</td></tr>
 *   <tr><td>{@code aten::stack}</td>
 *     <td>{@link Torch#stack}</td></tr>
 *   <tr><td>{@code aten::std.dim}</td>
 *     <td>{@link Reduction#std}</td></tr>
 *   <tr><td>{@code aten::sub}</td>
 *     <td>{@link Pointwise#sub}</td></tr>
 *   <tr><td>{@code aten::sum}</td>
 *     <td>{@link Reduction#sum}</td></tr>
 *   <tr><td>{@code aten::sum.dim_IntList}</td>
 *     <td>{@link Reduction#sum}</td></tr>
 *   <tr><td>{@code aten::tanh}</td>
 *     <td>{@link Pointwise#tanh}</td></tr>
 *   <tr><td>{@code aten::to.dtype}</td>
 *     <td>{@link Shapes#to}</td></tr>
 *   <tr><td>{@code aten::to_mkldnn}</td>
 *     <td>{@link PackedConv2d#pack}</td></tr>
 *   <tr><td>{@code aten::topk}</td>
 *     <td>{@link Sorting#topk}</td></tr>
 *   <tr><td>{@code aten::transpose.int}</td>
 *     <td>{@link Shapes#transpose}</td></tr>
 *   <tr><td>{@code aten::tril}</td>
 *     <td>{@link Shapes#tril}</td></tr>
 *   <tr><td>{@code aten::triu}</td>
 *     <td>{@link Shapes#triu}</td></tr>
 *   <tr><td>{@code aten::unbind.int}</td>
 *     <td>{@link Shapes#unbind}</td></tr>
 *   <tr><td>{@code aten::unsqueeze}</td>
 *     <td>{@link Shapes#unsqueeze}</td></tr>
 *   <tr><td>{@code aten::upsample_nearest2d}</td>
 *     <td>{@link Functional#upsampleNearest}</td></tr>
 *   <tr><td>{@code aten::var.dim}</td>
 *     <td>{@link Reduction#var}</td></tr>
 *   <tr><td>{@code aten::view.dtype}</td>
 *     <td>{@link Functional#dropoutMask}</td></tr>
 *   <tr><td>{@code aten::view_as_complex}</td>
 *     <td>{@link Fourier#irfft}</td></tr>
 *   <tr><td>{@code aten::view_as_real}</td>
 *     <td>{@link Fourier#fft}</td></tr>
 *   <tr><td>{@code aten::where.self}</td>
 *     <td>{@link Pointwise#where}</td></tr>
 *   <tr><td>{@code aten::zero_}</td>
 *     <td>{@link Torch#arange},
 *         {@link Torch#zeros}</td></tr>
 *   <tr><td>{@code aten::zeros_like}</td>
 *     <td>{@link Torch#zerosLike}</td></tr>
 *   <tr><td>{@code mkldnn::_convolution_pointwise}</td>
 *     <td>{@link PackedConv2d#apply}</td></tr>
 * <!-- end of operators -->
 * </table>
 */
@NullMarked
package org.relaydiffusion.torch;

import org.jspecify.annotations.NullMarked;
