
      export interface PossibleTypesResultData {
        possibleTypes: {
          [key: string]: string[]
        }
      }
      const result: PossibleTypesResultData = {
  "possibleTypes": {
    "Connection": [
      "ArticleConnection",
      "CommentConnection",
      "SearchConnection",
      "TagConnection",
      "UserConnection"
    ],
    "Node": [
      "Article",
      "Comment",
      "Tag",
      "User"
    ],
    "SearchResult": [
      "Article",
      "Tag",
      "User"
    ],
    "UserError": [
      "ForbiddenError",
      "InvalidCredentialsError",
      "NotFoundError",
      "StaleVersionError",
      "TakenError",
      "ValidationError"
    ]
  }
};
      export default result;
    