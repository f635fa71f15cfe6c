//! The official builds of MLX that this crate is made for, by target, with their hashes.

use crate::wheel::Package;

/// The version of MLX that the bindings are written against.
pub const VERSION: &str = "0.32.4";

/// What the pinned wheels are chosen by.
pub struct Target<'a> {
    /// `CARGO_CFG_TARGET_OS`.
    pub os: &'a str,
    /// `CARGO_CFG_TARGET_ARCH`.
    pub arch: &'a str,
    /// `CARGO_CFG_TARGET_ENV`.
    pub env: &'a str,
    /// The major version of CUDA to use, if the feature `cuda` is on.
    pub cuda: Option<u32>,
    /// The major version of macOS to run on.
    pub macos: u32,
}

/// Returns the wheels for a target, the one with MLX first, or a sentence why there is none.
pub fn wheels(target: &Target) -> Result<Vec<Package>, String> {
    let mlx = |name, platform, sha256| Package { name, version: VERSION, platform, sha256 };
    let none = |why: &str| {
        let Target { os, arch, env, .. } = target;
        Err(format!(
            "There is no prebuilt MLX {VERSION} for {arch}-{os}{}{env}{why}.",
            if env.is_empty() { "" } else { "-" }
        ))
    };
    Ok(match (target.os, target.arch, target.env, target.cuda) {
        ("macos" | "ios", _, _, Some(_)) => return none(" with the feature `cuda`"),
        ("macos", "aarch64", ..) => vec![match target.macos {
            26.. => mlx("mlx-metal", "macosx_26_0_arm64", METAL_26),
            15..26 => mlx("mlx-metal", "macosx_15_0_arm64", METAL_15),
            14 => mlx("mlx-metal", "macosx_14_0_arm64", METAL_14),
            version => return none(&format!(" version {version}: the oldest is 14")),
        }],
        ("linux", "x86_64", "gnu", Some(12)) => {
            [&[mlx("mlx-cuda-12", LINUX_X86, CUDA_12)], &CUDA_12_LIBRARIES[..]].concat()
        }
        ("linux", "x86_64", "gnu", Some(_)) => {
            [&[mlx("mlx-cuda-13", LINUX_X86, CUDA_13)], &CUDA_13_LIBRARIES[..]].concat()
        }
        ("linux", "x86_64", "gnu", None) => vec![mlx("mlx-cpu", LINUX_X86, CPU_X86)],
        ("linux", "aarch64", "gnu", None) => vec![mlx("mlx-cpu", "manylinux_2_35_aarch64", CPU_ARM)],
        (.., Some(_)) => return none(" with the feature `cuda`"),
        _ => return none(""),
    })
}

const LINUX_X86: &str = "manylinux_2_35_x86_64";
const CPU_X86: &str = "0e0a24fa2ce8b6b94d2e6a90604e8813aa8e29fcb918bb2aa01cfb6d133d8cee";
const CPU_ARM: &str = "1289e85e64af1fd16380bf331438bfe4afe875d27afc3e0bcf35f427c488fadd";
const CUDA_13: &str = "94cb48fba73e5ee39467e51c35c51c691123359ca17bafd1a24cf92ad6732bee";
const CUDA_12: &str = "f385c7af7c1f63a9d6ce3e442e1c9ba881c881bcb45c6534ff8155b359da47e5";
const METAL_14: &str = "8019b2db622599267d66cc168b2f0dbf5af929790a6c3b3913e00eabc42a7947";
const METAL_15: &str = "9f0a3cc26d89724434d9684932fc6f3e4e83669d2a895d858ed2c8a55eb84e8b";
const METAL_26: &str = "514df92d41a286895d2564b4b18f4da45096bd7a4a0c47e1042f345ad5a7f936";

const fn nvidia(name: &'static str, version: &'static str, platform: &'static str, sha256: &'static str) -> Package {
    Package { name, version, platform, sha256 }
}

/// What `mlx-cuda-13` requires, as pip resolves it: MLX looks for these beside itself, so only the driver is the machine's.
///
/// The compiler's own headers are not among its requirements, yet its packed products for Hopper include them.
const CUDA_13_LIBRARIES: [Package; 10] = [
    nvidia(
        "nvidia-cublas",
        "13.10.0.20",
        "manylinux_2_5_x86_64",
        "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
    ),
    nvidia(
        "nvidia-cuda-crt",
        "13.5.37",
        "manylinux_2_17_x86_64",
        "e898b7f73d3035fa89915a3f7bf3b54a73e90249746111aed295822c4729bb29",
    ),
    nvidia(
        "nvidia-cuda-nvrtc",
        "13.5.37",
        "manylinux_2_12_x86_64",
        "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
    ),
    nvidia(
        "nvidia-cuda-runtime",
        "13.5.37",
        "manylinux_2_17_x86_64",
        "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
    ),
    nvidia(
        "nvidia-cudnn-cu13",
        "9.28.0.42",
        "manylinux_2_27_x86_64",
        "7358353c75bb121a58e5f7712fe6d588883dc1df8ba00f428237e44e97543c4d",
    ),
    nvidia(
        "nvidia-cufft",
        "12.5.0.14",
        "manylinux_2_17_x86_64",
        "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
    ),
    nvidia(
        "nvidia-cusolver",
        "12.4.1.2",
        "manylinux_2_27_x86_64",
        "b3b8e02fd2f2df869369af075dc3a179d43f6f7b85e94632a7dce556697be044",
    ),
    nvidia(
        "nvidia-cusparse",
        "12.9.4.2",
        "manylinux_2_17_x86_64",
        "072667e58c851a318738f5527a12eb225cbf058803f2ea451c722d8cf8edddec",
    ),
    nvidia(
        "nvidia-nccl-cu13",
        "2.32.3",
        "manylinux_2_27_x86_64",
        "1459723080ac889d73a26edfa3e04383a7928ab31ac8f0ec43b3ea9548b04ff3",
    ),
    nvidia(
        "nvidia-nvjitlink",
        "13.5.37",
        "manylinux_2_12_x86_64",
        "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
    ),
];

/// What `mlx-cuda-12` requires, as pip resolves it.
const CUDA_12_LIBRARIES: [Package; 8] = [
    nvidia(
        "nvidia-cublas-cu12",
        "12.9.3.13",
        "manylinux_2_27_x86_64",
        "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
    ),
    nvidia(
        "nvidia-cuda-nvrtc-cu12",
        "12.9.86",
        "manylinux_2_12_x86_64",
        "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
    ),
    nvidia(
        "nvidia-cudnn-cu12",
        "9.28.0.42",
        "manylinux_2_27_x86_64",
        "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
    ),
    nvidia(
        "nvidia-cufft-cu12",
        "11.4.1.4",
        "manylinux_2_17_x86_64",
        "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
    ),
    nvidia(
        "nvidia-cusolver-cu12",
        "11.7.5.82",
        "manylinux_2_27_x86_64",
        "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
    ),
    nvidia(
        "nvidia-cusparse-cu12",
        "12.5.10.65",
        "manylinux_2_17_x86_64",
        "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
    ),
    nvidia(
        "nvidia-nccl-cu12",
        "2.32.3",
        "manylinux_2_27_x86_64",
        "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c",
    ),
    nvidia(
        "nvidia-nvjitlink-cu12",
        "12.9.86",
        "manylinux_2_12_x86_64",
        "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(os: &str, arch: &str, env: &str, cuda: Option<u32>, macos: u32, expected: Result<(&str, &str), &str>) {
        let found = wheels(&Target { os, arch, env, cuda, macos });
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!((found[0].name, found[0].platform), expected),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            _ => panic!("{found:?}, but expected {expected:?}"),
        }
    }

    #[test]
    fn each_target_gets_its_wheel_or_a_reason() {
        check("linux", "x86_64", "gnu", None, 14, Ok(("mlx-cpu", "manylinux_2_35_x86_64")));
        check("linux", "aarch64", "gnu", None, 14, Ok(("mlx-cpu", "manylinux_2_35_aarch64")));
        check("linux", "x86_64", "gnu", Some(13), 14, Ok(("mlx-cuda-13", "manylinux_2_35_x86_64")));
        check("linux", "x86_64", "gnu", Some(12), 14, Ok(("mlx-cuda-12", "manylinux_2_35_x86_64")));
        check("macos", "aarch64", "", None, 27, Ok(("mlx-metal", "macosx_26_0_arm64")));
        check("macos", "aarch64", "", None, 15, Ok(("mlx-metal", "macosx_15_0_arm64")));
        check("macos", "aarch64", "", None, 13, Err("aarch64-macos version 13: the oldest is 14"));
        check("macos", "aarch64", "", Some(13), 15, Err("aarch64-macos with the feature `cuda`"));
        check("linux", "aarch64", "gnu", Some(13), 14, Err("aarch64-linux-gnu with the feature `cuda`"));
        check("linux", "x86_64", "musl", None, 14, Err("x86_64-linux-musl"));
        check("macos", "x86_64", "", None, 15, Err("x86_64-macos"));
    }

    #[test]
    fn every_pin_is_a_whole_hash() {
        let x86 = |cuda| wheels(&Target { os: "linux", arch: "x86_64", env: "gnu", cuda, macos: 14 }).unwrap();
        for package in [x86(None), x86(Some(12)), x86(Some(13))].concat() {
            assert!(package.sha256.len() == 64 && package.sha256.bytes().all(|b| b.is_ascii_hexdigit()), "{package:?}");
        }
    }
}
