// Made by scripts/generate-operators.mjs from operators.txt and libtorch's schemas. Do not edit.
import { invoke, invokeInPlace, Operator } from './dispatcher.js';
import { type Dtype, dtypeCode, type MemoryFormat, memoryFormatCode } from './dtype.js';
import { Tensor } from './tensor.js';

function handleOf(tensor: Tensor): number;
function handleOf(tensor: Tensor | undefined): number | null;
function handleOf(tensor: Tensor | undefined): number | null {
  return tensor === undefined ? null : tensor.handle;
}

const zeros_default = new Operator('aten::zeros', '');
const ones_default = new Operator('aten::ones', '');
const full_default = new Operator('aten::full', '');
const empty_memory_format = new Operator('aten::empty', 'memory_format');
const zeros_like_default = new Operator('aten::zeros_like', '');
const ones_like_default = new Operator('aten::ones_like', '');
const empty_like_default = new Operator('aten::empty_like', '');
const full_like_default = new Operator('aten::full_like', '');
const new_zeros_default = new Operator('aten::new_zeros', '');
const arange_start_step = new Operator('aten::arange', 'start_step');
const eye_default = new Operator('aten::eye', '');
const rand_default = new Operator('aten::rand', '');
const randn_default = new Operator('aten::randn', '');
const randint_low = new Operator('aten::randint', 'low');
const randperm_default = new Operator('aten::randperm', '');
const clone_default = new Operator('aten::clone', '');
const detach_default = new Operator('aten::detach', '');
const contiguous_default = new Operator('aten::contiguous', '');
const add_Tensor = new Operator('aten::add', 'Tensor');
const add_Scalar = new Operator('aten::add', 'Scalar');
const sub_Tensor = new Operator('aten::sub', 'Tensor');
const sub_Scalar = new Operator('aten::sub', 'Scalar');
const mul_Tensor = new Operator('aten::mul', 'Tensor');
const mul_Scalar = new Operator('aten::mul', 'Scalar');
const div_Tensor = new Operator('aten::div', 'Tensor');
const div_Scalar = new Operator('aten::div', 'Scalar');
const pow_Tensor_Scalar = new Operator('aten::pow', 'Tensor_Scalar');
const pow_Tensor_Tensor = new Operator('aten::pow', 'Tensor_Tensor');
const neg_default = new Operator('aten::neg', '');
const abs_default = new Operator('aten::abs', '');
const exp_default = new Operator('aten::exp', '');
const log_default = new Operator('aten::log', '');
const log1p_default = new Operator('aten::log1p', '');
const sqrt_default = new Operator('aten::sqrt', '');
const rsqrt_default = new Operator('aten::rsqrt', '');
const sin_default = new Operator('aten::sin', '');
const cos_default = new Operator('aten::cos', '');
const square_default = new Operator('aten::square', '');
const reciprocal_default = new Operator('aten::reciprocal', '');
const sign_default = new Operator('aten::sign', '');
const floor_default = new Operator('aten::floor', '');
const round_default = new Operator('aten::round', '');
const clamp_default = new Operator('aten::clamp', '');
const clamp_min_default = new Operator('aten::clamp_min', '');
const clamp_max_default = new Operator('aten::clamp_max', '');
const minimum_default = new Operator('aten::minimum', '');
const maximum_default = new Operator('aten::maximum', '');
const add__Tensor = new Operator('aten::add_', 'Tensor');
const add__Scalar = new Operator('aten::add_', 'Scalar');
const sub__Tensor = new Operator('aten::sub_', 'Tensor');
const sub__Scalar = new Operator('aten::sub_', 'Scalar');
const mul__Tensor = new Operator('aten::mul_', 'Tensor');
const mul__Scalar = new Operator('aten::mul_', 'Scalar');
const div__Tensor = new Operator('aten::div_', 'Tensor');
const div__Scalar = new Operator('aten::div_', 'Scalar');
const addcmul_default = new Operator('aten::addcmul', '');
const addcdiv_default = new Operator('aten::addcdiv', '');
const addcmul__default = new Operator('aten::addcmul_', '');
const addcdiv__default = new Operator('aten::addcdiv_', '');
const lerp_Scalar = new Operator('aten::lerp', 'Scalar');
const lerp_Tensor = new Operator('aten::lerp', 'Tensor');
const zero__default = new Operator('aten::zero_', '');
const fill__Scalar = new Operator('aten::fill_', 'Scalar');
const copy__default = new Operator('aten::copy_', '');
const uniform__default = new Operator('aten::uniform_', '');
const normal__default = new Operator('aten::normal_', '');
const bernoulli__float = new Operator('aten::bernoulli_', 'float');
const masked_fill_Scalar = new Operator('aten::masked_fill', 'Scalar');
const masked_fill__Scalar = new Operator('aten::masked_fill_', 'Scalar');
const where_self = new Operator('aten::where', 'self');
const eq_Tensor = new Operator('aten::eq', 'Tensor');
const eq_Scalar = new Operator('aten::eq', 'Scalar');
const ne_Tensor = new Operator('aten::ne', 'Tensor');
const ne_Scalar = new Operator('aten::ne', 'Scalar');
const lt_Tensor = new Operator('aten::lt', 'Tensor');
const lt_Scalar = new Operator('aten::lt', 'Scalar');
const le_Tensor = new Operator('aten::le', 'Tensor');
const le_Scalar = new Operator('aten::le', 'Scalar');
const gt_Tensor = new Operator('aten::gt', 'Tensor');
const gt_Scalar = new Operator('aten::gt', 'Scalar');
const ge_Tensor = new Operator('aten::ge', 'Tensor');
const ge_Scalar = new Operator('aten::ge', 'Scalar');
const logical_and_default = new Operator('aten::logical_and', '');
const logical_or_default = new Operator('aten::logical_or', '');
const logical_not_default = new Operator('aten::logical_not', '');
const isfinite_default = new Operator('aten::isfinite', '');
const isnan_default = new Operator('aten::isnan', '');
const isinf_default = new Operator('aten::isinf', '');
const all_default = new Operator('aten::all', '');
const any_default = new Operator('aten::any', '');
const sum_dim_IntList = new Operator('aten::sum', 'dim_IntList');
const mean_dim = new Operator('aten::mean', 'dim');
const prod_default = new Operator('aten::prod', '');
const amax_default = new Operator('aten::amax', '');
const amin_default = new Operator('aten::amin', '');
const argmax_default = new Operator('aten::argmax', '');
const argmin_default = new Operator('aten::argmin', '');
const max_dim = new Operator('aten::max', 'dim');
const min_dim = new Operator('aten::min', 'dim');
const std_dim = new Operator('aten::std', 'dim');
const var_dim = new Operator('aten::var', 'dim');
const norm_ScalarOpt_dim = new Operator('aten::norm', 'ScalarOpt_dim');
const linalg_vector_norm_default = new Operator('aten::linalg_vector_norm', '');
const logsumexp_default = new Operator('aten::logsumexp', '');
const cumsum_default = new Operator('aten::cumsum', '');
const topk_default = new Operator('aten::topk', '');
const sort_stable = new Operator('aten::sort', 'stable');
const argsort_stable = new Operator('aten::argsort', 'stable');
const reshape_default = new Operator('aten::reshape', '');
const view_default = new Operator('aten::view', '');
const flatten_using_ints = new Operator('aten::flatten', 'using_ints');
const permute_default = new Operator('aten::permute', '');
const transpose_int = new Operator('aten::transpose', 'int');
const t_default = new Operator('aten::t', '');
const squeeze_dim = new Operator('aten::squeeze', 'dim');
const unsqueeze_default = new Operator('aten::unsqueeze', '');
const expand_default = new Operator('aten::expand', '');
const repeat_default = new Operator('aten::repeat', '');
const cat_default = new Operator('aten::cat', '');
const stack_default = new Operator('aten::stack', '');
const split_Tensor = new Operator('aten::split', 'Tensor');
const split_with_sizes_default = new Operator('aten::split_with_sizes', '');
const chunk_default = new Operator('aten::chunk', '');
const unbind_int = new Operator('aten::unbind', 'int');
const select_int = new Operator('aten::select', 'int');
const narrow_default = new Operator('aten::narrow', '');
const slice_Tensor = new Operator('aten::slice', 'Tensor');
const index_select_default = new Operator('aten::index_select', '');
const gather_default = new Operator('aten::gather', '');
const scatter_src = new Operator('aten::scatter', 'src');
const index_add_default = new Operator('aten::index_add', '');
const masked_select_default = new Operator('aten::masked_select', '');
const flip_default = new Operator('aten::flip', '');
const roll_default = new Operator('aten::roll', '');
const constant_pad_nd_default = new Operator('aten::constant_pad_nd', '');
const tril_default = new Operator('aten::tril', '');
const triu_default = new Operator('aten::triu', '');
const one_hot_default = new Operator('aten::one_hot', '');
const matmul_default = new Operator('aten::matmul', '');
const mm_default = new Operator('aten::mm', '');
const bmm_default = new Operator('aten::bmm', '');
const mv_default = new Operator('aten::mv', '');
const dot_default = new Operator('aten::dot', '');
const addmm_default = new Operator('aten::addmm', '');
const linear_default = new Operator('aten::linear', '');
const einsum_default = new Operator('aten::einsum', '');
const conv1d_default = new Operator('aten::conv1d', '');
const conv2d_default = new Operator('aten::conv2d', '');
const conv_transpose2d_input = new Operator('aten::conv_transpose2d', 'input');
const batch_norm_default = new Operator('aten::batch_norm', '');
const layer_norm_default = new Operator('aten::layer_norm', '');
const group_norm_default = new Operator('aten::group_norm', '');
const max_pool2d_default = new Operator('aten::max_pool2d', '');
const avg_pool2d_default = new Operator('aten::avg_pool2d', '');
const adaptive_avg_pool2d_default = new Operator('aten::adaptive_avg_pool2d', '');
const adaptive_max_pool2d_default = new Operator('aten::adaptive_max_pool2d', '');
const upsample_bilinear2d_vec = new Operator('aten::upsample_bilinear2d', 'vec');
const _upsample_bilinear2d_aa_vec = new Operator('aten::_upsample_bilinear2d_aa', 'vec');
const upsample_nearest2d_vec = new Operator('aten::upsample_nearest2d', 'vec');
const relu_default = new Operator('aten::relu', '');
const relu__default = new Operator('aten::relu_', '');
const leaky_relu_default = new Operator('aten::leaky_relu', '');
const elu_default = new Operator('aten::elu', '');
const gelu_default = new Operator('aten::gelu', '');
const silu_default = new Operator('aten::silu', '');
const hardtanh_default = new Operator('aten::hardtanh', '');
const hardswish_default = new Operator('aten::hardswish', '');
const sigmoid_default = new Operator('aten::sigmoid', '');
const tanh_default = new Operator('aten::tanh', '');
const softplus_default = new Operator('aten::softplus', '');
const log_sigmoid_default = new Operator('aten::log_sigmoid', '');
const softmax_int = new Operator('aten::softmax', 'int');
const log_softmax_int = new Operator('aten::log_softmax', 'int');
const dropout_default = new Operator('aten::dropout', '');
const feature_dropout_default = new Operator('aten::feature_dropout', '');
const embedding_default = new Operator('aten::embedding', '');
const lstm_cell_default = new Operator('aten::lstm_cell', '');
const gru_cell_default = new Operator('aten::gru_cell', '');
const cross_entropy_loss_default = new Operator('aten::cross_entropy_loss', '');
const nll_loss_default = new Operator('aten::nll_loss', '');
const nll_loss2d_default = new Operator('aten::nll_loss2d', '');
const mse_loss_default = new Operator('aten::mse_loss', '');
const l1_loss_default = new Operator('aten::l1_loss', '');
const smooth_l1_loss_default = new Operator('aten::smooth_l1_loss', '');
const binary_cross_entropy_with_logits_default = new Operator('aten::binary_cross_entropy_with_logits', '');
const _foreach_add_List = new Operator('aten::_foreach_add', 'List');
const _foreach_add__List = new Operator('aten::_foreach_add_', 'List');
const _foreach_add__Scalar = new Operator('aten::_foreach_add_', 'Scalar');
const _foreach_sub_List = new Operator('aten::_foreach_sub', 'List');
const _foreach_sub__List = new Operator('aten::_foreach_sub_', 'List');
const _foreach_mul_Scalar = new Operator('aten::_foreach_mul', 'Scalar');
const _foreach_mul_List = new Operator('aten::_foreach_mul', 'List');
const _foreach_mul__Scalar = new Operator('aten::_foreach_mul_', 'Scalar');
const _foreach_mul__List = new Operator('aten::_foreach_mul_', 'List');
const _foreach_div_List = new Operator('aten::_foreach_div', 'List');
const _foreach_div__List = new Operator('aten::_foreach_div_', 'List');
const _foreach_div__Scalar = new Operator('aten::_foreach_div_', 'Scalar');
const _foreach_sqrt_default = new Operator('aten::_foreach_sqrt', '');
const _foreach_addcmul__Scalar = new Operator('aten::_foreach_addcmul_', 'Scalar');
const _foreach_addcdiv__Scalar = new Operator('aten::_foreach_addcdiv_', 'Scalar');
const _foreach_norm_Scalar = new Operator('aten::_foreach_norm', 'Scalar');
const _foreach_neg_default = new Operator('aten::_foreach_neg', '');
const _foreach_zero__default = new Operator('aten::_foreach_zero_', '');

declare module './tensor.js' {
  interface Tensor {
    /** `aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
    zerosLike(options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }): Tensor;
    /** `aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
    onesLike(options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }): Tensor;
    /** `aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
    emptyLike(options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }): Tensor;
    /** `aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
    fullLike(fillValue: number, options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }): Tensor;
    /** `aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
    newZeros(size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor;
    /** `aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor` */
    clone(options?: { memoryFormat?: MemoryFormat | undefined }): Tensor;
    /** `aten::detach(Tensor(a) self) -> Tensor(a)` */
    detach(): Tensor;
    /** `aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)` */
    contiguous(options?: { memoryFormat?: MemoryFormat | undefined }): Tensor;
    /** `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`, `aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor` */
    add(other: Tensor | number, options?: { alpha?: number | undefined }): Tensor;
    /** `aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`, `aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor` */
    sub(other: Tensor | number, options?: { alpha?: number | undefined }): Tensor;
    /** `aten::mul.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::mul.Scalar(Tensor self, Scalar other) -> Tensor` */
    mul(other: Tensor | number): Tensor;
    /** `aten::div.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::div.Scalar(Tensor self, Scalar other) -> Tensor` */
    div(other: Tensor | number): Tensor;
    /** `aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor`, `aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor` */
    pow(exponent: number | Tensor): Tensor;
    /** `aten::neg(Tensor self) -> Tensor` */
    neg(): Tensor;
    /** `aten::abs(Tensor self) -> Tensor` */
    abs(): Tensor;
    /** `aten::exp(Tensor self) -> Tensor` */
    exp(): Tensor;
    /** `aten::log(Tensor self) -> Tensor` */
    log(): Tensor;
    /** `aten::log1p(Tensor self) -> Tensor` */
    log1p(): Tensor;
    /** `aten::sqrt(Tensor self) -> Tensor` */
    sqrt(): Tensor;
    /** `aten::rsqrt(Tensor self) -> Tensor` */
    rsqrt(): Tensor;
    /** `aten::sin(Tensor self) -> Tensor` */
    sin(): Tensor;
    /** `aten::cos(Tensor self) -> Tensor` */
    cos(): Tensor;
    /** `aten::square(Tensor self) -> Tensor` */
    square(): Tensor;
    /** `aten::reciprocal(Tensor self) -> Tensor` */
    reciprocal(): Tensor;
    /** `aten::sign(Tensor self) -> Tensor` */
    sign(): Tensor;
    /** `aten::floor(Tensor self) -> Tensor` */
    floor(): Tensor;
    /** `aten::round(Tensor self) -> Tensor` */
    round(): Tensor;
    /** `aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
    clamp(min?: number, max?: number): Tensor;
    /** `aten::clamp_min(Tensor self, Scalar min) -> Tensor` */
    clampMin(min: number): Tensor;
    /** `aten::clamp_max(Tensor self, Scalar max) -> Tensor` */
    clampMax(max: number): Tensor;
    /** `aten::minimum(Tensor self, Tensor other) -> Tensor` */
    minimum(other: Tensor): Tensor;
    /** `aten::maximum(Tensor self, Tensor other) -> Tensor` */
    maximum(other: Tensor): Tensor;
    /** `aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)`, `aten::add_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)` */
    add_(other: Tensor | number, options?: { alpha?: number | undefined }): this;
    /** `aten::sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)`, `aten::sub_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)` */
    sub_(other: Tensor | number, options?: { alpha?: number | undefined }): this;
    /** `aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`, `aten::mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)` */
    mul_(other: Tensor | number): this;
    /** `aten::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)`, `aten::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)` */
    div_(other: Tensor | number): this;
    /** `aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor` */
    addcmul(tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }): Tensor;
    /** `aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor` */
    addcdiv(tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }): Tensor;
    /** `aten::addcmul_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)` */
    addcmul_(tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }): this;
    /** `aten::addcdiv_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)` */
    addcdiv_(tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }): this;
    /** `aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor`, `aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor` */
    lerp(end: Tensor, weight: number | Tensor): Tensor;
    /** `aten::zero_(Tensor(a!) self) -> Tensor(a!)` */
    zero_(): this;
    /** `aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)` */
    fill_(value: number): this;
    /** `aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)` */
    copy_(src: Tensor, nonBlocking?: boolean): this;
    /** `aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)` */
    uniform_(from?: number, to?: number): this;
    /** `aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)` */
    normal_(mean?: number, std?: number): this;
    /** `aten::bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)` */
    bernoulli_(p?: number): this;
    /** `aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor` */
    maskedFill(mask: Tensor, value: number): Tensor;
    /** `aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)` */
    maskedFill_(mask: Tensor, value: number): this;
    /** `aten::eq.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::eq.Scalar(Tensor self, Scalar other) -> Tensor` */
    eq(other: Tensor | number): Tensor;
    /** `aten::ne.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::ne.Scalar(Tensor self, Scalar other) -> Tensor` */
    ne(other: Tensor | number): Tensor;
    /** `aten::lt.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::lt.Scalar(Tensor self, Scalar other) -> Tensor` */
    lt(other: Tensor | number): Tensor;
    /** `aten::le.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::le.Scalar(Tensor self, Scalar other) -> Tensor` */
    le(other: Tensor | number): Tensor;
    /** `aten::gt.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::gt.Scalar(Tensor self, Scalar other) -> Tensor` */
    gt(other: Tensor | number): Tensor;
    /** `aten::ge.Tensor(Tensor self, Tensor other) -> Tensor`, `aten::ge.Scalar(Tensor self, Scalar other) -> Tensor` */
    ge(other: Tensor | number): Tensor;
    /** `aten::logical_and(Tensor self, Tensor other) -> Tensor` */
    logicalAnd(other: Tensor): Tensor;
    /** `aten::logical_or(Tensor self, Tensor other) -> Tensor` */
    logicalOr(other: Tensor): Tensor;
    /** `aten::logical_not(Tensor self) -> Tensor` */
    logicalNot(): Tensor;
    /** `aten::isfinite(Tensor self) -> Tensor` */
    isfinite(): Tensor;
    /** `aten::isnan(Tensor self) -> Tensor` */
    isnan(): Tensor;
    /** `aten::isinf(Tensor self) -> Tensor` */
    isinf(): Tensor;
    /** `aten::all(Tensor self) -> Tensor` */
    all(): Tensor;
    /** `aten::any(Tensor self) -> Tensor` */
    any(): Tensor;
    /** `aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
    sum(dim?: number | readonly number[], keepdim?: boolean, options?: { dtype?: Dtype | undefined }): Tensor;
    /** `aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
    mean(dim?: number | readonly number[], keepdim?: boolean, options?: { dtype?: Dtype | undefined }): Tensor;
    /** `aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
    prod(options?: { dtype?: Dtype | undefined }): Tensor;
    /** `aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
    amax(dim?: number | readonly number[], keepdim?: boolean): Tensor;
    /** `aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
    amin(dim?: number | readonly number[], keepdim?: boolean): Tensor;
    /** `aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
    argmax(dim?: number, keepdim?: boolean): Tensor;
    /** `aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
    argmin(dim?: number, keepdim?: boolean): Tensor;
    /** `aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
    maxAlong(dim: number, keepdim?: boolean): [Tensor, Tensor];
    /** `aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)` */
    minAlong(dim: number, keepdim?: boolean): [Tensor, Tensor];
    /** `aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor` */
    std(dim?: number | readonly number[], unbiased?: boolean, keepdim?: boolean): Tensor;
    /** `aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor` */
    var(dim?: number | readonly number[], unbiased?: boolean, keepdim?: boolean): Tensor;
    /** `aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor` */
    norm(p: number | undefined, dim: number | readonly number[], keepdim?: boolean): Tensor;
    /** `aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
    linalgVectorNorm(ord?: number, dim?: number | readonly number[], keepdim?: boolean, options?: { dtype?: Dtype | undefined }): Tensor;
    /** `aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor` */
    logsumexp(dim: number | readonly number[], keepdim?: boolean): Tensor;
    /** `aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
    cumsum(dim: number, options?: { dtype?: Dtype | undefined }): Tensor;
    /** `aten::topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)` */
    topk(k: number, dim?: number, largest?: boolean, sorted?: boolean): [Tensor, Tensor];
    /** `aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
    sort(options?: { stable?: boolean | undefined; dim?: number | undefined; descending?: boolean | undefined }): [Tensor, Tensor];
    /** `aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor` */
    argsort(options: { stable: boolean; dim?: number | undefined; descending?: boolean | undefined }): Tensor;
    /** `aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)` */
    reshape(shape: readonly number[]): Tensor;
    /** `aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)` */
    view(size: readonly number[]): Tensor;
    /** `aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)` */
    flatten(startDim?: number, endDim?: number): Tensor;
    /** `aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)` */
    permute(dims: readonly number[]): Tensor;
    /** `aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
    transpose(dim0: number, dim1: number): Tensor;
    /** `aten::t(Tensor(a) self) -> Tensor(a)` */
    t(): Tensor;
    /** `aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)` */
    squeeze(dim: number): Tensor;
    /** `aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)` */
    unsqueeze(dim: number): Tensor;
    /** `aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)` */
    expand(size: readonly number[], options?: { implicit?: boolean | undefined }): Tensor;
    /** `aten::repeat(Tensor self, SymInt[] repeats) -> Tensor` */
    repeat(repeats: readonly number[]): Tensor;
    /** `aten::split.Tensor(Tensor(a -> *) self, int split_size, int dim=0) -> Tensor(a)[]` */
    split(splitSize: number, dim?: number): Tensor[];
    /** `aten::split_with_sizes(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]` */
    splitWithSizes(splitSizes: readonly number[], dim?: number): Tensor[];
    /** `aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]` */
    chunk(chunks: number, dim?: number): Tensor[];
    /** `aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]` */
    unbind(dim?: number): Tensor[];
    /** `aten::select.int(Tensor(a) self, int dim, int index) -> Tensor(a)` */
    select(dim: number, index: number): Tensor;
    /** `aten::narrow(Tensor(a) self, int dim, int start, int length) -> Tensor(a)` */
    narrow(dim: number, start: number, length: number): Tensor;
    /** `aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
    slice(dim?: number, start?: number, end?: number, step?: number): Tensor;
    /** `aten::index_select(Tensor self, int dim, Tensor index) -> Tensor` */
    indexSelect(dim: number, index: Tensor): Tensor;
    /** `aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor` */
    gather(dim: number, index: Tensor, options?: { sparseGrad?: boolean | undefined }): Tensor;
    /** `aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
    scatter(dim: number, index: Tensor, src: Tensor): Tensor;
    /** `aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor` */
    indexAdd(dim: number, index: Tensor, source: Tensor, options?: { alpha?: number | undefined }): Tensor;
    /** `aten::masked_select(Tensor self, Tensor mask) -> Tensor` */
    maskedSelect(mask: Tensor): Tensor;
    /** `aten::flip(Tensor self, int[] dims) -> Tensor` */
    flip(dims: readonly number[]): Tensor;
    /** `aten::roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor` */
    roll(shifts: number | readonly number[], dims?: number | readonly number[]): Tensor;
    /** `aten::constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor` */
    constantPadNd(pad: readonly number[], value?: number): Tensor;
    /** `aten::tril(Tensor self, int diagonal=0) -> Tensor` */
    tril(diagonal?: number): Tensor;
    /** `aten::triu(Tensor self, int diagonal=0) -> Tensor` */
    triu(diagonal?: number): Tensor;
    /** `aten::one_hot(Tensor self, int num_classes=-1) -> Tensor` */
    oneHot(numClasses?: number): Tensor;
    /** `aten::matmul(Tensor self, Tensor other) -> Tensor` */
    matmul(other: Tensor): Tensor;
    /** `aten::mm(Tensor self, Tensor mat2) -> Tensor` */
    mm(mat2: Tensor): Tensor;
    /** `aten::bmm(Tensor self, Tensor mat2) -> Tensor` */
    bmm(mat2: Tensor): Tensor;
    /** `aten::mv(Tensor self, Tensor vec) -> Tensor` */
    mv(vec: Tensor): Tensor;
    /** `aten::dot(Tensor self, Tensor tensor) -> Tensor` */
    dot(tensor: Tensor): Tensor;
    /** `aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
    addmm(mat1: Tensor, mat2: Tensor, options?: { beta?: number | undefined; alpha?: number | undefined }): Tensor;
    /** `aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> Tensor` */
    maxPool2d(kernelSize: number | readonly number[], stride?: number | readonly number[], padding?: number | readonly number[], dilation?: number | readonly number[], ceilMode?: boolean): Tensor;
    /** `aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor` */
    avgPool2d(kernelSize: number | readonly number[], stride?: number | readonly number[], padding?: number | readonly number[], ceilMode?: boolean, countIncludePad?: boolean, divisorOverride?: number): Tensor;
    /** `aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor` */
    adaptiveAvgPool2d(outputSize: number | readonly number[]): Tensor;
    /** `aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)` */
    adaptiveMaxPool2d(outputSize: number | readonly number[]): [Tensor, Tensor];
    /** `aten::relu(Tensor self) -> Tensor` */
    relu(): Tensor;
    /** `aten::relu_(Tensor(a!) self) -> Tensor(a!)` */
    relu_(): this;
    /** `aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor` */
    leakyRelu(negativeSlope?: number): Tensor;
    /** `aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor` */
    elu(alpha?: number, scale?: number, inputScale?: number): Tensor;
    /** `aten::gelu(Tensor self, *, str approximate="none") -> Tensor` */
    gelu(options?: { approximate?: string | undefined }): Tensor;
    /** `aten::silu(Tensor self) -> Tensor` */
    silu(): Tensor;
    /** `aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor` */
    hardtanh(minVal?: number, maxVal?: number): Tensor;
    /** `aten::hardswish(Tensor self) -> Tensor` */
    hardswish(): Tensor;
    /** `aten::sigmoid(Tensor self) -> Tensor` */
    sigmoid(): Tensor;
    /** `aten::tanh(Tensor self) -> Tensor` */
    tanh(): Tensor;
    /** `aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor` */
    softplus(beta?: number, threshold?: number): Tensor;
    /** `aten::log_sigmoid(Tensor self) -> Tensor` */
    logSigmoid(): Tensor;
    /** `aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
    softmax(dim: number, dtype?: Dtype): Tensor;
    /** `aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
    logSoftmax(dim: number, dtype?: Dtype): Tensor;
    /** `aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100, float label_smoothing=0.) -> Tensor` */
    crossEntropyLoss(target: Tensor, weight?: Tensor, reduction?: number, ignoreIndex?: number, labelSmoothing?: number): Tensor;
    /** `aten::nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor` */
    nllLoss(target: Tensor, weight?: Tensor, reduction?: number, ignoreIndex?: number): Tensor;
    /** `aten::nll_loss2d(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor` */
    nllLoss2d(target: Tensor, weight?: Tensor, reduction?: number, ignoreIndex?: number): Tensor;
    /** `aten::mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor` */
    mseLoss(target: Tensor, reduction?: number): Tensor;
    /** `aten::l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor` */
    l1Loss(target: Tensor, reduction?: number): Tensor;
    /** `aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor` */
    smoothL1Loss(target: Tensor, reduction?: number, beta?: number): Tensor;
    /** `aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor` */
    binaryCrossEntropyWithLogits(target: Tensor, weight?: Tensor, posWeight?: Tensor, reduction?: number): Tensor;
  }
}

Tensor.prototype.zerosLike = function (options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }) {
  return new Tensor(invoke(zeros_like_default, this.handle, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory, memoryFormatCode(options?.memoryFormat)) as number);
};

Tensor.prototype.onesLike = function (options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }) {
  return new Tensor(invoke(ones_like_default, this.handle, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory, memoryFormatCode(options?.memoryFormat)) as number);
};

Tensor.prototype.emptyLike = function (options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }) {
  return new Tensor(invoke(empty_like_default, this.handle, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory, memoryFormatCode(options?.memoryFormat)) as number);
};

Tensor.prototype.fullLike = function (fillValue: number, options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }) {
  return new Tensor(invoke(full_like_default, this.handle, fillValue, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory, memoryFormatCode(options?.memoryFormat)) as number);
};

Tensor.prototype.newZeros = function (size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }) {
  return new Tensor(invoke(new_zeros_default, this.handle, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
};

Tensor.prototype.clone = function (options?: { memoryFormat?: MemoryFormat | undefined }) {
  return new Tensor(invoke(clone_default, this.handle, memoryFormatCode(options?.memoryFormat)) as number);
};

Tensor.prototype.detach = function () {
  return new Tensor(invoke(detach_default, this.handle) as number);
};

Tensor.prototype.contiguous = function (options?: { memoryFormat?: MemoryFormat | undefined }) {
  return new Tensor(invoke(contiguous_default, this.handle, memoryFormatCode(options?.memoryFormat)) as number);
};

Tensor.prototype.add = function (other: Tensor | number, options?: { alpha?: number | undefined }) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(add_Tensor, this.handle, other.handle, options?.alpha) as number);
  }
  return new Tensor(invoke(add_Scalar, this.handle, other, options?.alpha) as number);
};

Tensor.prototype.sub = function (other: Tensor | number, options?: { alpha?: number | undefined }) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(sub_Tensor, this.handle, other.handle, options?.alpha) as number);
  }
  return new Tensor(invoke(sub_Scalar, this.handle, other, options?.alpha) as number);
};

Tensor.prototype.mul = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(mul_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(mul_Scalar, this.handle, other) as number);
};

Tensor.prototype.div = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(div_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(div_Scalar, this.handle, other) as number);
};

Tensor.prototype.pow = function (exponent: number | Tensor) {
  if (typeof exponent === 'number') {
    return new Tensor(invoke(pow_Tensor_Scalar, this.handle, exponent) as number);
  }
  return new Tensor(invoke(pow_Tensor_Tensor, this.handle, exponent.handle) as number);
};

Tensor.prototype.neg = function () {
  return new Tensor(invoke(neg_default, this.handle) as number);
};

Tensor.prototype.abs = function () {
  return new Tensor(invoke(abs_default, this.handle) as number);
};

Tensor.prototype.exp = function () {
  return new Tensor(invoke(exp_default, this.handle) as number);
};

Tensor.prototype.log = function () {
  return new Tensor(invoke(log_default, this.handle) as number);
};

Tensor.prototype.log1p = function () {
  return new Tensor(invoke(log1p_default, this.handle) as number);
};

Tensor.prototype.sqrt = function () {
  return new Tensor(invoke(sqrt_default, this.handle) as number);
};

Tensor.prototype.rsqrt = function () {
  return new Tensor(invoke(rsqrt_default, this.handle) as number);
};

Tensor.prototype.sin = function () {
  return new Tensor(invoke(sin_default, this.handle) as number);
};

Tensor.prototype.cos = function () {
  return new Tensor(invoke(cos_default, this.handle) as number);
};

Tensor.prototype.square = function () {
  return new Tensor(invoke(square_default, this.handle) as number);
};

Tensor.prototype.reciprocal = function () {
  return new Tensor(invoke(reciprocal_default, this.handle) as number);
};

Tensor.prototype.sign = function () {
  return new Tensor(invoke(sign_default, this.handle) as number);
};

Tensor.prototype.floor = function () {
  return new Tensor(invoke(floor_default, this.handle) as number);
};

Tensor.prototype.round = function () {
  return new Tensor(invoke(round_default, this.handle) as number);
};

Tensor.prototype.clamp = function (min?: number, max?: number) {
  return new Tensor(invoke(clamp_default, this.handle, min, max) as number);
};

Tensor.prototype.clampMin = function (min: number) {
  return new Tensor(invoke(clamp_min_default, this.handle, min) as number);
};

Tensor.prototype.clampMax = function (max: number) {
  return new Tensor(invoke(clamp_max_default, this.handle, max) as number);
};

Tensor.prototype.minimum = function (other: Tensor) {
  return new Tensor(invoke(minimum_default, this.handle, other.handle) as number);
};

Tensor.prototype.maximum = function (other: Tensor) {
  return new Tensor(invoke(maximum_default, this.handle, other.handle) as number);
};

Tensor.prototype.add_ = function (other: Tensor | number, options?: { alpha?: number | undefined }) {
  if (other instanceof Tensor) {
    invokeInPlace(add__Tensor, this.handle, other.handle, options?.alpha);
    return this;
  }
  invokeInPlace(add__Scalar, this.handle, other, options?.alpha);
  return this;
};

Tensor.prototype.sub_ = function (other: Tensor | number, options?: { alpha?: number | undefined }) {
  if (other instanceof Tensor) {
    invokeInPlace(sub__Tensor, this.handle, other.handle, options?.alpha);
    return this;
  }
  invokeInPlace(sub__Scalar, this.handle, other, options?.alpha);
  return this;
};

Tensor.prototype.mul_ = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    invokeInPlace(mul__Tensor, this.handle, other.handle);
    return this;
  }
  invokeInPlace(mul__Scalar, this.handle, other);
  return this;
};

Tensor.prototype.div_ = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    invokeInPlace(div__Tensor, this.handle, other.handle);
    return this;
  }
  invokeInPlace(div__Scalar, this.handle, other);
  return this;
};

Tensor.prototype.addcmul = function (tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }) {
  return new Tensor(invoke(addcmul_default, this.handle, tensor1.handle, tensor2.handle, options?.value) as number);
};

Tensor.prototype.addcdiv = function (tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }) {
  return new Tensor(invoke(addcdiv_default, this.handle, tensor1.handle, tensor2.handle, options?.value) as number);
};

Tensor.prototype.addcmul_ = function (tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }) {
  invokeInPlace(addcmul__default, this.handle, tensor1.handle, tensor2.handle, options?.value);
  return this;
};

Tensor.prototype.addcdiv_ = function (tensor1: Tensor, tensor2: Tensor, options?: { value?: number | undefined }) {
  invokeInPlace(addcdiv__default, this.handle, tensor1.handle, tensor2.handle, options?.value);
  return this;
};

Tensor.prototype.lerp = function (end: Tensor, weight: number | Tensor) {
  if (typeof weight === 'number') {
    return new Tensor(invoke(lerp_Scalar, this.handle, end.handle, weight) as number);
  }
  return new Tensor(invoke(lerp_Tensor, this.handle, end.handle, weight.handle) as number);
};

Tensor.prototype.zero_ = function () {
  invokeInPlace(zero__default, this.handle);
  return this;
};

Tensor.prototype.fill_ = function (value: number) {
  invokeInPlace(fill__Scalar, this.handle, value);
  return this;
};

Tensor.prototype.copy_ = function (src: Tensor, nonBlocking?: boolean) {
  invokeInPlace(copy__default, this.handle, src.handle, nonBlocking);
  return this;
};

Tensor.prototype.uniform_ = function (from?: number, to?: number) {
  invokeInPlace(uniform__default, this.handle, from, to);
  return this;
};

Tensor.prototype.normal_ = function (mean?: number, std?: number) {
  invokeInPlace(normal__default, this.handle, mean, std);
  return this;
};

Tensor.prototype.bernoulli_ = function (p?: number) {
  invokeInPlace(bernoulli__float, this.handle, p);
  return this;
};

Tensor.prototype.maskedFill = function (mask: Tensor, value: number) {
  return new Tensor(invoke(masked_fill_Scalar, this.handle, mask.handle, value) as number);
};

Tensor.prototype.maskedFill_ = function (mask: Tensor, value: number) {
  invokeInPlace(masked_fill__Scalar, this.handle, mask.handle, value);
  return this;
};

Tensor.prototype.eq = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(eq_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(eq_Scalar, this.handle, other) as number);
};

Tensor.prototype.ne = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(ne_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(ne_Scalar, this.handle, other) as number);
};

Tensor.prototype.lt = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(lt_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(lt_Scalar, this.handle, other) as number);
};

Tensor.prototype.le = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(le_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(le_Scalar, this.handle, other) as number);
};

Tensor.prototype.gt = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(gt_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(gt_Scalar, this.handle, other) as number);
};

Tensor.prototype.ge = function (other: Tensor | number) {
  if (other instanceof Tensor) {
    return new Tensor(invoke(ge_Tensor, this.handle, other.handle) as number);
  }
  return new Tensor(invoke(ge_Scalar, this.handle, other) as number);
};

Tensor.prototype.logicalAnd = function (other: Tensor) {
  return new Tensor(invoke(logical_and_default, this.handle, other.handle) as number);
};

Tensor.prototype.logicalOr = function (other: Tensor) {
  return new Tensor(invoke(logical_or_default, this.handle, other.handle) as number);
};

Tensor.prototype.logicalNot = function () {
  return new Tensor(invoke(logical_not_default, this.handle) as number);
};

Tensor.prototype.isfinite = function () {
  return new Tensor(invoke(isfinite_default, this.handle) as number);
};

Tensor.prototype.isnan = function () {
  return new Tensor(invoke(isnan_default, this.handle) as number);
};

Tensor.prototype.isinf = function () {
  return new Tensor(invoke(isinf_default, this.handle) as number);
};

Tensor.prototype.all = function () {
  return new Tensor(invoke(all_default, this.handle) as number);
};

Tensor.prototype.any = function () {
  return new Tensor(invoke(any_default, this.handle) as number);
};

Tensor.prototype.sum = function (dim?: number | readonly number[], keepdim?: boolean, options?: { dtype?: Dtype | undefined }) {
  return new Tensor(invoke(sum_dim_IntList, this.handle, dim, keepdim, dtypeCode(options?.dtype)) as number);
};

Tensor.prototype.mean = function (dim?: number | readonly number[], keepdim?: boolean, options?: { dtype?: Dtype | undefined }) {
  return new Tensor(invoke(mean_dim, this.handle, dim, keepdim, dtypeCode(options?.dtype)) as number);
};

Tensor.prototype.prod = function (options?: { dtype?: Dtype | undefined }) {
  return new Tensor(invoke(prod_default, this.handle, dtypeCode(options?.dtype)) as number);
};

Tensor.prototype.amax = function (dim?: number | readonly number[], keepdim?: boolean) {
  return new Tensor(invoke(amax_default, this.handle, dim, keepdim) as number);
};

Tensor.prototype.amin = function (dim?: number | readonly number[], keepdim?: boolean) {
  return new Tensor(invoke(amin_default, this.handle, dim, keepdim) as number);
};

Tensor.prototype.argmax = function (dim?: number, keepdim?: boolean) {
  return new Tensor(invoke(argmax_default, this.handle, dim, keepdim) as number);
};

Tensor.prototype.argmin = function (dim?: number, keepdim?: boolean) {
  return new Tensor(invoke(argmin_default, this.handle, dim, keepdim) as number);
};

Tensor.prototype.maxAlong = function (dim: number, keepdim?: boolean) {
  return (invoke(max_dim, this.handle, dim, keepdim) as number[]).map((handle) => new Tensor(handle)) as [Tensor, Tensor];
};

Tensor.prototype.minAlong = function (dim: number, keepdim?: boolean) {
  return (invoke(min_dim, this.handle, dim, keepdim) as number[]).map((handle) => new Tensor(handle)) as [Tensor, Tensor];
};

Tensor.prototype.std = function (dim?: number | readonly number[], unbiased?: boolean, keepdim?: boolean) {
  return new Tensor(invoke(std_dim, this.handle, dim, unbiased, keepdim) as number);
};

Tensor.prototype.var = function (dim?: number | readonly number[], unbiased?: boolean, keepdim?: boolean) {
  return new Tensor(invoke(var_dim, this.handle, dim, unbiased, keepdim) as number);
};

Tensor.prototype.norm = function (p: number | undefined, dim: number | readonly number[], keepdim?: boolean) {
  return new Tensor(invoke(norm_ScalarOpt_dim, this.handle, p, dim, keepdim) as number);
};

Tensor.prototype.linalgVectorNorm = function (ord?: number, dim?: number | readonly number[], keepdim?: boolean, options?: { dtype?: Dtype | undefined }) {
  return new Tensor(invoke(linalg_vector_norm_default, this.handle, ord, dim, keepdim, dtypeCode(options?.dtype)) as number);
};

Tensor.prototype.logsumexp = function (dim: number | readonly number[], keepdim?: boolean) {
  return new Tensor(invoke(logsumexp_default, this.handle, dim, keepdim) as number);
};

Tensor.prototype.cumsum = function (dim: number, options?: { dtype?: Dtype | undefined }) {
  return new Tensor(invoke(cumsum_default, this.handle, dim, dtypeCode(options?.dtype)) as number);
};

Tensor.prototype.topk = function (k: number, dim?: number, largest?: boolean, sorted?: boolean) {
  return (invoke(topk_default, this.handle, k, dim, largest, sorted) as number[]).map((handle) => new Tensor(handle)) as [Tensor, Tensor];
};

Tensor.prototype.sort = function (options?: { stable?: boolean | undefined; dim?: number | undefined; descending?: boolean | undefined }) {
  return (invoke(sort_stable, this.handle, options?.stable, options?.dim, options?.descending) as number[]).map((handle) => new Tensor(handle)) as [Tensor, Tensor];
};

Tensor.prototype.argsort = function (options: { stable: boolean; dim?: number | undefined; descending?: boolean | undefined }) {
  return new Tensor(invoke(argsort_stable, this.handle, options?.stable, options?.dim, options?.descending) as number);
};

Tensor.prototype.reshape = function (shape: readonly number[]) {
  return new Tensor(invoke(reshape_default, this.handle, shape) as number);
};

Tensor.prototype.view = function (size: readonly number[]) {
  return new Tensor(invoke(view_default, this.handle, size) as number);
};

Tensor.prototype.flatten = function (startDim?: number, endDim?: number) {
  return new Tensor(invoke(flatten_using_ints, this.handle, startDim, endDim) as number);
};

Tensor.prototype.permute = function (dims: readonly number[]) {
  return new Tensor(invoke(permute_default, this.handle, dims) as number);
};

Tensor.prototype.transpose = function (dim0: number, dim1: number) {
  return new Tensor(invoke(transpose_int, this.handle, dim0, dim1) as number);
};

Tensor.prototype.t = function () {
  return new Tensor(invoke(t_default, this.handle) as number);
};

Tensor.prototype.squeeze = function (dim: number) {
  return new Tensor(invoke(squeeze_dim, this.handle, dim) as number);
};

Tensor.prototype.unsqueeze = function (dim: number) {
  return new Tensor(invoke(unsqueeze_default, this.handle, dim) as number);
};

Tensor.prototype.expand = function (size: readonly number[], options?: { implicit?: boolean | undefined }) {
  return new Tensor(invoke(expand_default, this.handle, size, options?.implicit) as number);
};

Tensor.prototype.repeat = function (repeats: readonly number[]) {
  return new Tensor(invoke(repeat_default, this.handle, repeats) as number);
};

Tensor.prototype.split = function (splitSize: number, dim?: number) {
  return (invoke(split_Tensor, this.handle, splitSize, dim) as number[]).map((handle) => new Tensor(handle));
};

Tensor.prototype.splitWithSizes = function (splitSizes: readonly number[], dim?: number) {
  return (invoke(split_with_sizes_default, this.handle, splitSizes, dim) as number[]).map((handle) => new Tensor(handle));
};

Tensor.prototype.chunk = function (chunks: number, dim?: number) {
  return (invoke(chunk_default, this.handle, chunks, dim) as number[]).map((handle) => new Tensor(handle));
};

Tensor.prototype.unbind = function (dim?: number) {
  return (invoke(unbind_int, this.handle, dim) as number[]).map((handle) => new Tensor(handle));
};

Tensor.prototype.select = function (dim: number, index: number) {
  return new Tensor(invoke(select_int, this.handle, dim, index) as number);
};

Tensor.prototype.narrow = function (dim: number, start: number, length: number) {
  return new Tensor(invoke(narrow_default, this.handle, dim, start, length) as number);
};

Tensor.prototype.slice = function (dim?: number, start?: number, end?: number, step?: number) {
  return new Tensor(invoke(slice_Tensor, this.handle, dim, start, end, step) as number);
};

Tensor.prototype.indexSelect = function (dim: number, index: Tensor) {
  return new Tensor(invoke(index_select_default, this.handle, dim, index.handle) as number);
};

Tensor.prototype.gather = function (dim: number, index: Tensor, options?: { sparseGrad?: boolean | undefined }) {
  return new Tensor(invoke(gather_default, this.handle, dim, index.handle, options?.sparseGrad) as number);
};

Tensor.prototype.scatter = function (dim: number, index: Tensor, src: Tensor) {
  return new Tensor(invoke(scatter_src, this.handle, dim, index.handle, src.handle) as number);
};

Tensor.prototype.indexAdd = function (dim: number, index: Tensor, source: Tensor, options?: { alpha?: number | undefined }) {
  return new Tensor(invoke(index_add_default, this.handle, dim, index.handle, source.handle, options?.alpha) as number);
};

Tensor.prototype.maskedSelect = function (mask: Tensor) {
  return new Tensor(invoke(masked_select_default, this.handle, mask.handle) as number);
};

Tensor.prototype.flip = function (dims: readonly number[]) {
  return new Tensor(invoke(flip_default, this.handle, dims) as number);
};

Tensor.prototype.roll = function (shifts: number | readonly number[], dims?: number | readonly number[]) {
  return new Tensor(invoke(roll_default, this.handle, shifts, dims) as number);
};

Tensor.prototype.constantPadNd = function (pad: readonly number[], value?: number) {
  return new Tensor(invoke(constant_pad_nd_default, this.handle, pad, value) as number);
};

Tensor.prototype.tril = function (diagonal?: number) {
  return new Tensor(invoke(tril_default, this.handle, diagonal) as number);
};

Tensor.prototype.triu = function (diagonal?: number) {
  return new Tensor(invoke(triu_default, this.handle, diagonal) as number);
};

Tensor.prototype.oneHot = function (numClasses?: number) {
  return new Tensor(invoke(one_hot_default, this.handle, numClasses) as number);
};

Tensor.prototype.matmul = function (other: Tensor) {
  return new Tensor(invoke(matmul_default, this.handle, other.handle) as number);
};

Tensor.prototype.mm = function (mat2: Tensor) {
  return new Tensor(invoke(mm_default, this.handle, mat2.handle) as number);
};

Tensor.prototype.bmm = function (mat2: Tensor) {
  return new Tensor(invoke(bmm_default, this.handle, mat2.handle) as number);
};

Tensor.prototype.mv = function (vec: Tensor) {
  return new Tensor(invoke(mv_default, this.handle, vec.handle) as number);
};

Tensor.prototype.dot = function (tensor: Tensor) {
  return new Tensor(invoke(dot_default, this.handle, tensor.handle) as number);
};

Tensor.prototype.addmm = function (mat1: Tensor, mat2: Tensor, options?: { beta?: number | undefined; alpha?: number | undefined }) {
  return new Tensor(invoke(addmm_default, this.handle, mat1.handle, mat2.handle, options?.beta, options?.alpha) as number);
};

Tensor.prototype.maxPool2d = function (kernelSize: number | readonly number[], stride?: number | readonly number[], padding?: number | readonly number[], dilation?: number | readonly number[], ceilMode?: boolean) {
  return new Tensor(invoke(max_pool2d_default, this.handle, kernelSize, stride, padding, dilation, ceilMode) as number);
};

Tensor.prototype.avgPool2d = function (kernelSize: number | readonly number[], stride?: number | readonly number[], padding?: number | readonly number[], ceilMode?: boolean, countIncludePad?: boolean, divisorOverride?: number) {
  return new Tensor(invoke(avg_pool2d_default, this.handle, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride) as number);
};

Tensor.prototype.adaptiveAvgPool2d = function (outputSize: number | readonly number[]) {
  return new Tensor(invoke(adaptive_avg_pool2d_default, this.handle, outputSize) as number);
};

Tensor.prototype.adaptiveMaxPool2d = function (outputSize: number | readonly number[]) {
  return (invoke(adaptive_max_pool2d_default, this.handle, outputSize) as number[]).map((handle) => new Tensor(handle)) as [Tensor, Tensor];
};

Tensor.prototype.relu = function () {
  return new Tensor(invoke(relu_default, this.handle) as number);
};

Tensor.prototype.relu_ = function () {
  invokeInPlace(relu__default, this.handle);
  return this;
};

Tensor.prototype.leakyRelu = function (negativeSlope?: number) {
  return new Tensor(invoke(leaky_relu_default, this.handle, negativeSlope) as number);
};

Tensor.prototype.elu = function (alpha?: number, scale?: number, inputScale?: number) {
  return new Tensor(invoke(elu_default, this.handle, alpha, scale, inputScale) as number);
};

Tensor.prototype.gelu = function (options?: { approximate?: string | undefined }) {
  return new Tensor(invoke(gelu_default, this.handle, options?.approximate) as number);
};

Tensor.prototype.silu = function () {
  return new Tensor(invoke(silu_default, this.handle) as number);
};

Tensor.prototype.hardtanh = function (minVal?: number, maxVal?: number) {
  return new Tensor(invoke(hardtanh_default, this.handle, minVal, maxVal) as number);
};

Tensor.prototype.hardswish = function () {
  return new Tensor(invoke(hardswish_default, this.handle) as number);
};

Tensor.prototype.sigmoid = function () {
  return new Tensor(invoke(sigmoid_default, this.handle) as number);
};

Tensor.prototype.tanh = function () {
  return new Tensor(invoke(tanh_default, this.handle) as number);
};

Tensor.prototype.softplus = function (beta?: number, threshold?: number) {
  return new Tensor(invoke(softplus_default, this.handle, beta, threshold) as number);
};

Tensor.prototype.logSigmoid = function () {
  return new Tensor(invoke(log_sigmoid_default, this.handle) as number);
};

Tensor.prototype.softmax = function (dim: number, dtype?: Dtype) {
  return new Tensor(invoke(softmax_int, this.handle, dim, dtypeCode(dtype)) as number);
};

Tensor.prototype.logSoftmax = function (dim: number, dtype?: Dtype) {
  return new Tensor(invoke(log_softmax_int, this.handle, dim, dtypeCode(dtype)) as number);
};

Tensor.prototype.crossEntropyLoss = function (target: Tensor, weight?: Tensor, reduction?: number, ignoreIndex?: number, labelSmoothing?: number) {
  return new Tensor(invoke(cross_entropy_loss_default, this.handle, target.handle, handleOf(weight), reduction, ignoreIndex, labelSmoothing) as number);
};

Tensor.prototype.nllLoss = function (target: Tensor, weight?: Tensor, reduction?: number, ignoreIndex?: number) {
  return new Tensor(invoke(nll_loss_default, this.handle, target.handle, handleOf(weight), reduction, ignoreIndex) as number);
};

Tensor.prototype.nllLoss2d = function (target: Tensor, weight?: Tensor, reduction?: number, ignoreIndex?: number) {
  return new Tensor(invoke(nll_loss2d_default, this.handle, target.handle, handleOf(weight), reduction, ignoreIndex) as number);
};

Tensor.prototype.mseLoss = function (target: Tensor, reduction?: number) {
  return new Tensor(invoke(mse_loss_default, this.handle, target.handle, reduction) as number);
};

Tensor.prototype.l1Loss = function (target: Tensor, reduction?: number) {
  return new Tensor(invoke(l1_loss_default, this.handle, target.handle, reduction) as number);
};

Tensor.prototype.smoothL1Loss = function (target: Tensor, reduction?: number, beta?: number) {
  return new Tensor(invoke(smooth_l1_loss_default, this.handle, target.handle, reduction, beta) as number);
};

Tensor.prototype.binaryCrossEntropyWithLogits = function (target: Tensor, weight?: Tensor, posWeight?: Tensor, reduction?: number) {
  return new Tensor(invoke(binary_cross_entropy_with_logits_default, this.handle, target.handle, handleOf(weight), handleOf(posWeight), reduction) as number);
};

/** `aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function zeros(size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(zeros_default, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function ones(size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(ones_default, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function full(size: readonly number[], fillValue: number, options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(full_default, size, fillValue, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function empty(size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined; memoryFormat?: MemoryFormat | undefined }): Tensor {
  return new Tensor(invoke(empty_memory_format, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory, memoryFormatCode(options?.memoryFormat)) as number);
}

/** `aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function arange(start: number, end: number, step?: number, options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(arange_start_step, start, end, step, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::eye(int n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function eye(n: number, options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(eye_default, n, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::rand(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function rand(size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(rand_default, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::randn(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function randn(size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(randn_default, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::randint.low(int low, int high, int[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function randint(low: number, high: number, size: readonly number[], options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(randint_low, low, high, size, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::randperm(int n, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function randperm(n: number, options?: { dtype?: Dtype | undefined; device?: string | undefined; pinMemory?: boolean | undefined }): Tensor {
  return new Tensor(invoke(randperm_default, n, dtypeCode(options?.dtype), undefined, options?.device, options?.pinMemory) as number);
}

/** `aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor` */
export function where(condition: Tensor, self: Tensor, other: Tensor): Tensor {
  return new Tensor(invoke(where_self, condition.handle, self.handle, other.handle) as number);
}

/** `aten::cat(Tensor[] tensors, int dim=0) -> Tensor` */
export function cat(tensors: readonly Tensor[], dim?: number): Tensor {
  return new Tensor(invoke(cat_default, tensors.map(handleOf), dim) as number);
}

/** `aten::stack(Tensor[] tensors, int dim=0) -> Tensor` */
export function stack(tensors: readonly Tensor[], dim?: number): Tensor {
  return new Tensor(invoke(stack_default, tensors.map(handleOf), dim) as number);
}

/** `aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor` */
export function linear(input: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return new Tensor(invoke(linear_default, input.handle, weight.handle, handleOf(bias)) as number);
}

/** `aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor` */
export function einsum(equation: string, tensors: readonly Tensor[], options?: { path?: readonly number[] | undefined }): Tensor {
  return new Tensor(invoke(einsum_default, equation, tensors.map(handleOf), options?.path) as number);
}

/** `aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=[1], int[1] padding=[0], int[1] dilation=[1], int groups=1) -> Tensor` */
export function conv1d(input: Tensor, weight: Tensor, bias?: Tensor, stride?: number | readonly number[], padding?: number | readonly number[], dilation?: number | readonly number[], groups?: number): Tensor {
  return new Tensor(invoke(conv1d_default, input.handle, weight.handle, handleOf(bias), stride, padding, dilation, groups) as number);
}

/** `aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor` */
export function conv2d(input: Tensor, weight: Tensor, bias?: Tensor, stride?: number | readonly number[], padding?: number | readonly number[], dilation?: number | readonly number[], groups?: number): Tensor {
  return new Tensor(invoke(conv2d_default, input.handle, weight.handle, handleOf(bias), stride, padding, dilation, groups) as number);
}

/** `aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] output_padding=0, int groups=1, int[2] dilation=1) -> Tensor` */
export function convTranspose2d(input: Tensor, weight: Tensor, bias?: Tensor, stride?: number | readonly number[], padding?: number | readonly number[], outputPadding?: number | readonly number[], groups?: number, dilation?: number | readonly number[]): Tensor {
  return new Tensor(invoke(conv_transpose2d_input, input.handle, weight.handle, handleOf(bias), stride, padding, outputPadding, groups, dilation) as number);
}

/** `aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor` */
export function batchNorm(input: Tensor, weight: Tensor | undefined, bias: Tensor | undefined, runningMean: Tensor | undefined, runningVar: Tensor | undefined, training: boolean, momentum: number, eps: number, cudnnEnabled: boolean): Tensor {
  return new Tensor(invoke(batch_norm_default, input.handle, handleOf(weight), handleOf(bias), handleOf(runningMean), handleOf(runningVar), training, momentum, eps, cudnnEnabled) as number);
}

/** `aten::layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor` */
export function layerNorm(input: Tensor, normalizedShape: readonly number[], weight?: Tensor, bias?: Tensor, eps?: number, cudnnEnable?: boolean): Tensor {
  return new Tensor(invoke(layer_norm_default, input.handle, normalizedShape, handleOf(weight), handleOf(bias), eps, cudnnEnable) as number);
}

/** `aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor` */
export function groupNorm(input: Tensor, numGroups: number, weight?: Tensor, bias?: Tensor, eps?: number, cudnnEnabled?: boolean): Tensor {
  return new Tensor(invoke(group_norm_default, input.handle, numGroups, handleOf(weight), handleOf(bias), eps, cudnnEnabled) as number);
}

/** `aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function upsampleBilinear2d(input: Tensor, outputSize: readonly number[] | undefined, alignCorners: boolean, scaleFactors?: readonly number[]): Tensor {
  return new Tensor(invoke(upsample_bilinear2d_vec, input.handle, outputSize, alignCorners, scaleFactors) as number);
}

/** `aten::_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor` */
export function upsampleBilinear2dAa(input: Tensor, outputSize: readonly number[] | undefined, alignCorners: boolean, scaleFactors?: readonly number[]): Tensor {
  return new Tensor(invoke(_upsample_bilinear2d_aa_vec, input.handle, outputSize, alignCorners, scaleFactors) as number);
}

/** `aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor` */
export function upsampleNearest2d(input: Tensor, outputSize?: readonly number[], scaleFactors?: readonly number[]): Tensor {
  return new Tensor(invoke(upsample_nearest2d_vec, input.handle, outputSize, scaleFactors) as number);
}

/** `aten::dropout(Tensor input, float p, bool train) -> Tensor` */
export function dropout(input: Tensor, p: number, train: boolean): Tensor {
  return new Tensor(invoke(dropout_default, input.handle, p, train) as number);
}

/** `aten::feature_dropout(Tensor input, float p, bool train) -> Tensor` */
export function featureDropout(input: Tensor, p: number, train: boolean): Tensor {
  return new Tensor(invoke(feature_dropout_default, input.handle, p, train) as number);
}

/** `aten::embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor` */
export function embedding(weight: Tensor, indices: Tensor, paddingIdx?: number, scaleGradByFreq?: boolean, sparse?: boolean): Tensor {
  return new Tensor(invoke(embedding_default, weight.handle, indices.handle, paddingIdx, scaleGradByFreq, sparse) as number);
}

/** `aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> (Tensor, Tensor)` */
export function lstmCell(input: Tensor, hx: readonly Tensor[], wIh: Tensor, wHh: Tensor, bIh?: Tensor, bHh?: Tensor): [Tensor, Tensor] {
  return (invoke(lstm_cell_default, input.handle, hx.map(handleOf), wIh.handle, wHh.handle, handleOf(bIh), handleOf(bHh)) as number[]).map((handle) => new Tensor(handle)) as [Tensor, Tensor];
}

/** `aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor` */
export function gruCell(input: Tensor, hx: Tensor, wIh: Tensor, wHh: Tensor, bIh?: Tensor, bHh?: Tensor): Tensor {
  return new Tensor(invoke(gru_cell_default, input.handle, hx.handle, wIh.handle, wHh.handle, handleOf(bIh), handleOf(bHh)) as number);
}

/** `aten::_foreach_add.List(Tensor[] self, Tensor[] other, *, Scalar alpha=1) -> Tensor[]` */
export function foreachAdd(self: readonly Tensor[], other: readonly Tensor[], options?: { alpha?: number | undefined }): Tensor[] {
  return (invoke(_foreach_add_List, self.map(handleOf), other.map(handleOf), options?.alpha) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_add_.List(Tensor(a!)[] self, Tensor[] other, *, Scalar alpha=1) -> ()`, `aten::_foreach_add_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function foreachAdd_(self: readonly Tensor[], other: readonly Tensor[] | number, options?: { alpha?: number | undefined }): void;
export function foreachAdd_(self: readonly Tensor[], other: any, options?: { alpha?: number | undefined }): void {
  if (Array.isArray(other)) {
    invokeInPlace(_foreach_add__List, self.map(handleOf), other.map(handleOf), options?.alpha);
    return;
  }
  invokeInPlace(_foreach_add__Scalar, self.map(handleOf), other);
}

/** `aten::_foreach_sub.List(Tensor[] self, Tensor[] other, *, Scalar alpha=1) -> Tensor[]` */
export function foreachSub(self: readonly Tensor[], other: readonly Tensor[], options?: { alpha?: number | undefined }): Tensor[] {
  return (invoke(_foreach_sub_List, self.map(handleOf), other.map(handleOf), options?.alpha) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_sub_.List(Tensor(a!)[] self, Tensor[] other, *, Scalar alpha=1) -> ()` */
export function foreachSub_(self: readonly Tensor[], other: readonly Tensor[], options?: { alpha?: number | undefined }): void {
  invokeInPlace(_foreach_sub__List, self.map(handleOf), other.map(handleOf), options?.alpha);
}

/** `aten::_foreach_mul.Scalar(Tensor[] self, Scalar scalar) -> Tensor[]`, `aten::_foreach_mul.List(Tensor[] self, Tensor[] other) -> Tensor[]` */
export function foreachMul(self: readonly Tensor[], scalar: number | readonly Tensor[]): Tensor[];
export function foreachMul(self: readonly Tensor[], scalar: any): Tensor[] {
  if (typeof scalar === 'number') {
    return (invoke(_foreach_mul_Scalar, self.map(handleOf), scalar) as number[]).map((handle) => new Tensor(handle));
  }
  return (invoke(_foreach_mul_List, self.map(handleOf), scalar.map(handleOf)) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_mul_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()`, `aten::_foreach_mul_.List(Tensor(a!)[] self, Tensor[] other) -> ()` */
export function foreachMul_(self: readonly Tensor[], scalar: number | readonly Tensor[]): void;
export function foreachMul_(self: readonly Tensor[], scalar: any): void {
  if (typeof scalar === 'number') {
    invokeInPlace(_foreach_mul__Scalar, self.map(handleOf), scalar);
    return;
  }
  invokeInPlace(_foreach_mul__List, self.map(handleOf), scalar.map(handleOf));
}

/** `aten::_foreach_div.List(Tensor[] self, Tensor[] other) -> Tensor[]` */
export function foreachDiv(self: readonly Tensor[], other: readonly Tensor[]): Tensor[] {
  return (invoke(_foreach_div_List, self.map(handleOf), other.map(handleOf)) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_div_.List(Tensor(a!)[] self, Tensor[] other) -> ()`, `aten::_foreach_div_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function foreachDiv_(self: readonly Tensor[], other: readonly Tensor[] | number): void;
export function foreachDiv_(self: readonly Tensor[], other: any): void {
  if (Array.isArray(other)) {
    invokeInPlace(_foreach_div__List, self.map(handleOf), other.map(handleOf));
    return;
  }
  invokeInPlace(_foreach_div__Scalar, self.map(handleOf), other);
}

/** `aten::_foreach_sqrt(Tensor[] self) -> Tensor[]` */
export function foreachSqrt(self: readonly Tensor[]): Tensor[] {
  return (invoke(_foreach_sqrt_default, self.map(handleOf)) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_addcmul_.Scalar(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) -> ()` */
export function foreachAddcmul_(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], value?: number): void {
  invokeInPlace(_foreach_addcmul__Scalar, self.map(handleOf), tensor1.map(handleOf), tensor2.map(handleOf), value);
}

/** `aten::_foreach_addcdiv_.Scalar(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Scalar value=1) -> ()` */
export function foreachAddcdiv_(self: readonly Tensor[], tensor1: readonly Tensor[], tensor2: readonly Tensor[], value?: number): void {
  invokeInPlace(_foreach_addcdiv__Scalar, self.map(handleOf), tensor1.map(handleOf), tensor2.map(handleOf), value);
}

/** `aten::_foreach_norm.Scalar(Tensor[] self, Scalar ord=2) -> Tensor[]` */
export function foreachNorm(self: readonly Tensor[], ord?: number): Tensor[] {
  return (invoke(_foreach_norm_Scalar, self.map(handleOf), ord) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_neg(Tensor[] self) -> Tensor[]` */
export function foreachNeg(self: readonly Tensor[]): Tensor[] {
  return (invoke(_foreach_neg_default, self.map(handleOf)) as number[]).map((handle) => new Tensor(handle));
}

/** `aten::_foreach_zero_(Tensor(a!)[] self) -> ()` */
export function foreachZero_(self: readonly Tensor[]): void {
  invokeInPlace(_foreach_zero__default, self.map(handleOf));
}
