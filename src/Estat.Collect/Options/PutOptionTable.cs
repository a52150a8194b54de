// The rows of the option table that say what every PUT to S3 asks for.
using Estat.Base.Options;
namespace Estat.Collect.Options;

/// <summary>For buckets with rules: encryption, ACL, storage class.</summary>
internal static class PutOptionTable
{
    private const string ClassTakes = "a storage class that can be read at once, such as STANDARD, INTELLIGENT_TIERING, STANDARD_IA or GLACIER_IR";
    private static readonly string[] Archives = ["GLACIER", "DEEP_ARCHIVE"];

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<OptionSpec> All { get; } =
    [
        OptionSpec.OneOf("S3_SSE", "", [("AES256", "AES256"), ("aws:kms", "aws:kms")],
            "Server-side encryption that every upload asks for. Without it the bucket's default applies.", (o, v) => o with { S3Sse = v }),
        OptionSpec.Text("S3_SSE_KMS_KEY_ID", "", "a KMS key's id, alias or ARN, beside S3_SSE=aws:kms",
            "KMS key for S3_SSE=aws:kms. Without it the account's own key for S3.", IsHeaderText, (o, v) => o with { S3SseKmsKeyId = v }),
        OptionSpec.OneOf("S3_ACL", "", [.. new[] { "private", "bucket-owner-read", "bucket-owner-full-control" }.Select(acl => (acl, acl))],
            "Canned ACL of every upload, for buckets of another account. Public ACLs are refused.", (o, v) => o with { S3Acl = v }),
        OptionSpec.Text("S3_STORAGE_CLASS", "", ClassTakes, "Storage class of every upload. To archive, let a lifecycle rule move objects.",
            IsStorageClass, (o, v) => o with { S3StorageClass = v }),
        OptionSpec.OneOf("S3_EXPECT_CONTINUE", "true", [("true", true), ("false", false)],
            "Whether an upload waits for 100 Continue before its body; false for stores that answer 417.", (o, v) => o with { S3ExpectContinue = v }),
    ];

    internal static void CheckTogether(EstatOptions options)
    {
        if (options is { S3SseKmsKeyId: { } key, S3Sse: not "aws:kms" })
        {
            throw OptionSpec.Wrong("S3_SSE_KMS_KEY_ID", key, "a key beside S3_SSE=aws:kms, which is not set");
        }

        if (options is { RawBucket: { } bucket, S3Endpoint: not null } && BucketName.IsArn(bucket))
        {
            throw OptionSpec.Wrong("RAW_BUCKET", bucket, "a bucket's name beside S3_ENDPOINT: access points are AWS' own");
        }
    }

    private static bool IsHeaderText(string text) => text.Length is > 0 and <= 2048 && text.All(c => c is > ' ' and <= '~');

    // Stores have classes of their own names.
    private static bool IsStorageClass(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
        && !Archives.Contains(text, StringComparer.OrdinalIgnoreCase);
}
