//! Linear algebra and Fourier transforms.

use super::call::{Call, ops};
use mlx_ops::fft::{self, Center, Frames, Norm};
use mlx_ops::linalg::{self, Order, Triangle};

ops! {
    "linalg.inv" => |a| linalg::inv(a.x("x"));
    "linalg.tri_inv" => |a| linalg::tri_inv(a.x("x"), a.flag("upper"));
    "linalg.cholesky" => |a| linalg::cholesky(a.x("x"), a.flag("upper"));
    "linalg.cholesky_inv" => |a| linalg::cholesky_inv(a.x("x"), a.flag("upper"));
    "linalg.pinv" => |a| linalg::pinv(a.x("x"));
    "linalg.det" => |a| linalg::det(a.x("x"));
    "linalg.eigvals" => |a| linalg::eigvals(a.x("x"));
    "linalg.qr" => |a| linalg::qr(a.x("x"));
    "linalg.lu" => |a| linalg::lu(a.x("x"));
    "linalg.lu_factor" => |a| linalg::lu_factor(a.x("x"));
    "linalg.eig" => |a| linalg::eig(a.x("x"));
    "linalg.slogdet" => |a| linalg::slogdet(a.x("x"));
    "linalg.svd" => |a| linalg::svd(a.x("x"));
    "linalg.svd.values" => |a| linalg::svdvals(a.x("x"));
    "linalg.eigh" => |a| linalg::eigh(a.x("x"), triangle(a));
    "linalg.eigvalsh" => |a| linalg::eigvalsh(a.x("x"), triangle(a));
    "linalg.solve" => |a| linalg::solve(a.x("x"), a.x("y"));
    "linalg.solve_triangular" => |a| linalg::solve_triangular(a.x("x"), a.x("y"), a.flag("upper"));
    "linalg.cross" => |a| linalg::cross(a.x("x"), a.x("y"), a.int("axis"));
    "linalg.norm" => |a| linalg::norm(a.x("x"), order(a), a.axes(), a.flag("keepdims"));
    "fft.fft" => |a| fft::fft(a.x("x"), a.maybe_int("n"), a.int("axis"), norm(a));
    "fft.ifft" => |a| fft::ifft(a.x("x"), a.maybe_int("n"), a.int("axis"), norm(a));
    "fft.rfft" => |a| fft::rfft(a.x("x"), a.maybe_int("n"), a.int("axis"), norm(a));
    "fft.irfft" => |a| fft::irfft(a.x("x"), a.maybe_int("n"), a.int("axis"), norm(a));
    "fft.fft2" => |a| fft::fft2(a.x("x"), sizes(a), norm(a));
    "fft.ifft2" => |a| fft::ifft2(a.x("x"), sizes(a), norm(a));
    "fft.rfft2" => |a| fft::rfft2(a.x("x"), sizes(a), norm(a));
    "fft.irfft2" => |a| fft::irfft2(a.x("x"), sizes(a), norm(a));
    "fft.fftn" => |a| fft::fftn(a.x("x"), a.maybe_list("s").as_deref(), a.axes(), norm(a));
    "fft.ifftn" => |a| fft::ifftn(a.x("x"), a.maybe_list("s").as_deref(), a.axes(), norm(a));
    "fft.rfftn" => |a| fft::rfftn(a.x("x"), a.maybe_list("s").as_deref(), a.axes(), norm(a));
    "fft.irfftn" => |a| fft::irfftn(a.x("x"), a.maybe_list("s").as_deref(), a.axes(), norm(a));
    "fft.fftshift" => |a| fft::fftshift(a.x("x"), a.axes());
    "fft.ifftshift" => |a| fft::ifftshift(a.x("x"), a.axes());
    "fft.fftfreq" => |a| fft::fftfreq(a.int("n"), a.float("d"));
    "fft.rfftfreq" => |a| fft::rfftfreq(a.int("n"), a.float("d"));
    "fft.stft" => |a| fft::stft(a.x("x"), &frames(a));
    "fft.istft" => |a| fft::istft(&fft::stft(a.x("x"), &frames(a))?, &frames(a), a.maybe_int("length"));
}

fn triangle(a: &Call<'_>) -> Triangle {
    if a.flag("upper") { Triangle::Upper } else { Triangle::Lower }
}

fn order(a: &Call<'_>) -> Order {
    match (a.args["ord"].as_f64(), a.text("ord")) {
        (Some(p), _) => Order::P(p),
        (_, "inf") => Order::P(f64::INFINITY),
        (_, "-inf") => Order::P(f64::NEG_INFINITY),
        (_, "fro") => Order::Frobenius,
        (_, "nuc") => Order::Nuclear,
        _ => Order::Default,
    }
}

fn norm(a: &Call<'_>) -> Norm {
    match a.text("norm") {
        "ortho" => Norm::Ortho,
        "forward" => Norm::Forward,
        _ => Norm::Backward,
    }
}

fn sizes(a: &Call<'_>) -> Option<[i32; 2]> {
    a.maybe_list("s").and_then(|sizes| sizes.try_into().ok())
}

fn frames<'a>(a: &'a Call<'_>) -> Frames<'a> {
    Frames {
        hop: a.maybe_int("hop"),
        win_length: a.maybe_int("win"),
        window: a.maybe("window"),
        center: match (a.flag("center"), a.text("pad")) {
            (false, _) => Center::No,
            (_, "constant") => Center::Constant,
            (_, "edge") => Center::Edge,
            _ => Center::Reflect,
        },
        norm: norm(a),
        onesided: a.args["onesided"].as_bool(),
        ..Frames::new(a.int("n_fft"))
    }
}
