// Where objects go, and how: the part of the options that the object stores read.
using Estat.Base.Options;

namespace Estat.Base.Storage;

/// <summary>A bucket, or a folder without one. Units and bounds stand in the option table.</summary>
public sealed record StorageOptions
{
    /// <summary>Bucket for objects; null writes to <see cref="StorageDir"/>.</summary>
    public string? RawBucket { get; init; }

    /// <summary>Key prefix of objects.</summary>
    public string RawPrefix { get; init; } = "raw";

    /// <summary>Key prefix of the quarantine: what cannot be read as gzip JSONL.</summary>
    public string DlqPrefix { get; init; } = "raw_dlq";

    /// <summary>AWS region; also the signing region for an S3-compatible store.</summary>
    public string AwsRegion { get; init; } = "ap-northeast-2";

    /// <summary>URL of an S3-compatible store; null is AWS. Path-style addressing is used with it.</summary>
    public Uri? S3Endpoint { get; init; }

    /// <summary>Time that one S3 request may take.</summary>
    public TimeSpan S3Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Server-side encryption that every PUT asks for: <c>AES256</c> or <c>aws:kms</c>; null is the bucket's default.</summary>
    public string? S3Sse { get; init; }

    /// <summary>The KMS key of <c>aws:kms</c>; null is the account's own for S3.</summary>
    public string? S3SseKmsKeyId { get; init; }

    /// <summary>Canned ACL of every PUT; null sends none.</summary>
    public string? S3Acl { get; init; }

    /// <summary>Storage class of every PUT; null is the bucket's default.</summary>
    public string? S3StorageClass { get; init; }

    /// <summary>Whether a PUT sends its headers first and waits for <c>100 Continue</c>: a store that refuses is not sent the body.</summary>
    public bool S3ExpectContinue { get; init; } = true;

    /// <summary>Local folder for objects when no bucket is named.</summary>
    public string StorageDir { get; init; } = "./data";

    /// <summary>The prefixes that keys may not lie below, and the one that they lie below by default.</summary>
    public KeyPrefixes Prefixes => new(RawPrefix, DlqPrefix);

    /// <summary>Bytes that are read of an object when it is read whole; a longer one is none of this node's.</summary>
    public long LongestObject { get; init; } = 308_281_344;
}
