// Made by `make mongo-rights` from carillon/servers/mongo_rights.py: change it there.
// For who makes users by hand; `carillon deployment prepare` does the same. As administrator:
//     MONGO_PASSWORD_CAMPAIGN=... (one for each service) mongosh URL rights.js
const THERE_ALREADY = [51002, 51003];
for (const command of [
  {
    "createRole": "audience_reader",
    "privileges": [
      {
        "resource": {
          "db": "campaign",
          "collection": "contacts"
        },
        "actions": [
          "find",
          "listIndexes",
          "collStats"
        ]
      }
    ],
    "roles": []
  },
  {
    "createRole": "audit_writer",
    "privileges": [
      {
        "resource": {
          "db": "audit",
          "collection": "records"
        },
        "actions": [
          "insert"
        ]
      }
    ],
    "roles": []
  },
  {
    "createRole": "audit_reader",
    "privileges": [
      {
        "resource": {
          "db": "audit",
          "collection": "records"
        },
        "actions": [
          "find"
        ]
      }
    ],
    "roles": []
  },
  {
    "createUser": "campaign",
    "pwd": process.env.MONGO_PASSWORD_CAMPAIGN,
    "roles": [
      {
        "role": "readWrite",
        "db": "campaign"
      },
      {
        "role": "dbAdmin",
        "db": "campaign"
      },
      "audit_writer"
    ]
  },
  {
    "grantRolesToUser": "campaign",
    "roles": [
      {
        "role": "readWrite",
        "db": "campaign"
      },
      {
        "role": "dbAdmin",
        "db": "campaign"
      },
      "audit_writer"
    ]
  },
  {
    "createUser": "moderation",
    "pwd": process.env.MONGO_PASSWORD_MODERATION,
    "roles": [
      {
        "role": "readWrite",
        "db": "moderation"
      },
      {
        "role": "dbAdmin",
        "db": "moderation"
      },
      "audience_reader",
      "audit_writer"
    ]
  },
  {
    "grantRolesToUser": "moderation",
    "roles": [
      {
        "role": "readWrite",
        "db": "moderation"
      },
      {
        "role": "dbAdmin",
        "db": "moderation"
      },
      "audience_reader",
      "audit_writer"
    ]
  },
  {
    "createUser": "dispatcher",
    "pwd": process.env.MONGO_PASSWORD_DISPATCHER,
    "roles": [
      {
        "role": "readWrite",
        "db": "dispatcher"
      },
      {
        "role": "dbAdmin",
        "db": "dispatcher"
      },
      "audience_reader",
      "audit_writer"
    ]
  },
  {
    "grantRolesToUser": "dispatcher",
    "roles": [
      {
        "role": "readWrite",
        "db": "dispatcher"
      },
      {
        "role": "dbAdmin",
        "db": "dispatcher"
      },
      "audience_reader",
      "audit_writer"
    ]
  },
  {
    "createUser": "dialler",
    "pwd": process.env.MONGO_PASSWORD_DIALLER,
    "roles": [
      {
        "role": "readWrite",
        "db": "dialler"
      },
      {
        "role": "dbAdmin",
        "db": "dialler"
      },
      "audience_reader",
      "audit_writer"
    ]
  },
  {
    "grantRolesToUser": "dialler",
    "roles": [
      {
        "role": "readWrite",
        "db": "dialler"
      },
      {
        "role": "dbAdmin",
        "db": "dialler"
      },
      "audience_reader",
      "audit_writer"
    ]
  },
  {
    "createUser": "read_model",
    "pwd": process.env.MONGO_PASSWORD_READ_MODEL,
    "roles": [
      {
        "role": "readWrite",
        "db": "read_model"
      },
      {
        "role": "dbAdmin",
        "db": "read_model"
      },
      "audit_writer",
      "audit_reader"
    ]
  },
  {
    "grantRolesToUser": "read_model",
    "roles": [
      {
        "role": "readWrite",
        "db": "read_model"
      },
      {
        "role": "dbAdmin",
        "db": "read_model"
      },
      "audit_writer",
      "audit_reader"
    ]
  }
]) {
  const answer = db.getSiblingDB("admin").runCommand(command);
  if (!answer.ok && !THERE_ALREADY.includes(answer.code)) throw new Error(answer.errmsg);
}
