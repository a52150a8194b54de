// The rows of the options that say where objects go.
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Base.Storage.StorageOptions>;

namespace Estat.Base.Storage;

/// <summary>The table of <see cref="StorageOptions"/>.</summary>
internal static class StorageOptionTable
{
    private const string ClassTakes = "a storage class that can be read at once, such as STANDARD, INTELLIGENT_TIERING, STANDARD_IA or GLACIER_IR";
    private static readonly StorageOptions Default = new();
    private static readonly string[] Archives = ["GLACIER", "DEEP_ARCHIVE"];

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.Text("RAW_BUCKET", "", BucketName.Takes, "Bucket for objects, or the ARN of an access point. Without it they go to STORAGE_DIR.",
            BucketName.IsValid, (o, v) => o with { RawBucket = v }),
        Option.Text("RAW_PREFIX", Default.RawPrefix, KeyPrefix.Takes, "Key prefix of objects.",
            KeyPrefix.IsValid, (o, v) => o with { RawPrefix = v }),
        Option.Text("DLQ_PREFIX", Default.DlqPrefix, KeyPrefix.Takes,
            "Quarantine: key prefix for what cannot be read as gzip JSONL.", KeyPrefix.IsValid, (o, v) => o with { DlqPrefix = v }),
        Option.Text("AWS_REGION", Default.AwsRegion, "a region's name", "Region of the bucket. Credentials come from AWS' usual chain.",
            v => v.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'), (o, v) => o with { AwsRegion = v }),
        Option.Url("S3_ENDPOINT", "URL of an S3-compatible store (path style). Without it: AWS.", (o, v) => o with { S3Endpoint = v }),
        Option.Duration("S3_TIMEOUT", Default.S3Timeout, "100ms", "5m", "Time that one S3 request may take.", (o, v) => o with { S3Timeout = v }),
        Option.OneOf("S3_SSE", "", [("AES256", "AES256"), ("aws:kms", "aws:kms")],
            "Server-side encryption that every upload asks for. Without it the bucket's default applies.", (o, v) => o with { S3Sse = v }),
        Option.Text("S3_SSE_KMS_KEY_ID", "", "a KMS key's id, alias or ARN, together with S3_SSE=aws:kms",
            "KMS key for S3_SSE=aws:kms. Without it the account's own key for S3.", IsHeaderText, (o, v) => o with { S3SseKmsKeyId = v }),
        Option.OneOf("S3_ACL", "", [.. new[] { "private", "bucket-owner-read", "bucket-owner-full-control" }.Select(acl => (acl, acl))],
            "Canned ACL of every upload, for buckets of another account. Public ACLs are refused.", (o, v) => o with { S3Acl = v }),
        Option.Text("S3_STORAGE_CLASS", "", ClassTakes, "Storage class of every upload. To archive, let a lifecycle rule move objects.",
            IsStorageClass, (o, v) => o with { S3StorageClass = v }),
        Option.OneOf("S3_EXPECT_CONTINUE", "true", [("true", true), ("false", false)],
            "Whether an upload waits for 100 Continue before its body; false for stores that answer 417.", (o, v) => o with { S3ExpectContinue = v }),
        Option.Text("STORAGE_DIR", Default.StorageDir, "a folder's path",
            "Folder for objects when no bucket is named, laid out as the bucket would be.",
            OptionTexts.IsPath, (o, v) => o with { StorageDir = v }),
    ];

    /// <summary>Checks what holds between options.</summary>
    internal static void CheckTogether(StorageOptions options)
    {
        if (KeyPrefix.IsWithin(options.DlqPrefix, options.RawPrefix))
        {
            throw OptionTexts.Wrong(
                "DLQ_PREFIX", options.DlqPrefix, "a prefix outside RAW_PREFIX, so that readers of objects never meet what is unreadable");
        }

        if (options is { S3SseKmsKeyId: { } key, S3Sse: not "aws:kms" })
        {
            throw OptionTexts.Wrong("S3_SSE_KMS_KEY_ID", key, "a key together with S3_SSE=aws:kms, which is not set");
        }

        if (options is { RawBucket: { } bucket, S3Endpoint: not null } && BucketName.IsArn(bucket))
        {
            throw OptionTexts.Wrong("RAW_BUCKET", bucket, "a bucket's name when S3_ENDPOINT is set: only AWS has access points");
        }
    }

    private static bool IsHeaderText(string text) => text.Length is > 0 and <= 2048 && text.All(c => c is > ' ' and <= '~');

    // Stores have classes of their own names.
    private static bool IsStorageClass(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
        && !Archives.Contains(text, StringComparer.OrdinalIgnoreCase);
}
